import { join } from 'node:path';
import type { ServerSettings } from '../settings/server-settings.ts';
import { type IdentityLog, openIdentityLog } from '../store/identity-log.ts';

/** The append-only list of identities beside the server's state. */
export function identityLogOf({ state }: Pick<ServerSettings, 'state'>): IdentityLog {
  return openIdentityLog(join(state, 'identities.log'));
}
