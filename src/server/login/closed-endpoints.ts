import { type GuardedEndpoint, MANDATORY } from '../../core/access.ts';
import type { Accounts } from '../../settings/accounts.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { compileAccess } from './access.ts';

/** The endpoints that should be configured, and are not: nobody may use them. None while v1, whose they are, is off. */
export function closedEndpoints(
  { v1, server_auth: auth }: Pick<ServerSettings, 'v1' | 'server_auth'>,
  accounts: Accounts,
): GuardedEndpoint[] {
  if (!v1.enabled) return [];
  const access = compileAccess({ auth, accounts, upgrades: {} });
  return MANDATORY.filter((endpoint) => !access.endpoint(endpoint).configured);
}
