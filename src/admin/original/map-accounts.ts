import { GUARDED, type GuardedEndpoint, isAccountName } from '../../core/access.ts';
import { readPasswordHash } from '../../crypto/password-hash.ts';
import type { Accounts } from '../../settings/accounts.ts';
import { parseAddressRange } from '../../settings/address-range.ts';
import type { Section } from './section.ts';

/** The plain shape of `server_auth` in the settings: whom an endpoint admits. */
export type ServerAuth = Partial<Record<GuardedEndpoint, { ipranges?: string[]; users?: string[]; groups?: string[] }>>;

const NO_NAME = 'nobody can be called that here: at most 64 characters, without colons and control characters';
const NO_HASH =
  'this is no $pbkdf2-sha256$ hash that a login may cost, and a password is never taken over in the clear: set it anew';

export function mapAccounts(server: Section): { accounts: Accounts; serverAuth: ServerAuth } {
  const groups = server.below('groups');
  const accounts: Accounts = {
    users: hashesOf(server.below('users')),
    groups: Object.fromEntries(
      groups.names().flatMap((name) => {
        const members = groups.texts(name) ?? [];
        if (isAccountName(name) && members.every(isAccountName)) return [[name, members]];
        groups.leave(name, NO_NAME);
        return [];
      }),
    ),
    endpoints: { download_release: {}, pipe_create: {} },
  };
  const serverAuth: ServerAuth = {};
  const auth = server.below('server_auth');
  for (const endpoint of GUARDED) {
    if (auth.at(endpoint) === undefined) continue;
    const section = auth.below(endpoint);
    // as the original has it: an empty group configures nothing
    if (section.names().length === 0) continue;
    const passwords = hashesOf(section.below('passwords'));
    const admitted = admittedBy(section);
    section.rest('an endpoint admits by ipranges, passwords, users and groups');
    // With nothing left the original's restriction would become an open door.
    if (Object.keys(passwords).length === 0 && Object.keys(admitted).length === 0) {
      auth.wrong(endpoint, 'at least one address range, password, user or group that can be taken over');
    }
    accounts.endpoints[endpoint] = passwords;
    serverAuth[endpoint] = admitted;
  }
  auth.rest('there is no such endpoint that asks who comes');
  return { accounts, serverAuth };
}

function admittedBy(section: Section): { ipranges?: string[]; users?: string[]; groups?: string[] } {
  const ranges = section.texts('ipranges') ?? [];
  const ipranges = ranges.filter((range) => parseAddressRange(range, { everybody: true }) !== undefined);
  for (const range of ranges) {
    if (!ipranges.includes(range)) section.leave(`ipranges:${range}`, 'it is no address or range that can be used');
  }
  const [users, groups] = (['users', 'groups'] as const).map((key) => namesIn(section, key));
  return {
    ...(ipranges.length === 0 ? {} : { ipranges }),
    ...(users === undefined ? {} : { users }),
    ...(groups === undefined ? {} : { groups }),
  };
}

/** @returns undefined where there is none that can be one here */
function namesIn(section: Section, key: 'users' | 'groups'): string[] | undefined {
  const all = section.texts(key) ?? [];
  const names = all.filter(isAccountName);
  for (const name of all) if (!names.includes(name)) section.leave(`${key}:${name}`, NO_NAME);
  return names.length === 0 ? undefined : names;
}

function hashesOf(section: Section): Record<string, string> {
  const hashes = section.names().flatMap((name): [string, string][] => {
    const found = section.at(name);
    if (typeof found === 'string' && readPasswordHash(found) !== undefined && isAccountName(name))
      return [[name, found]];
    section.leave(name, isAccountName(name) ? NO_HASH : NO_NAME);
    return [];
  });
  // defines own properties, whatever somebody is called
  return Object.fromEntries(hashes);
}
