import { parseAddressRange } from '../../settings/address-range.ts';
import type { Section } from './section.ts';

const ENDPOINTS = ['download_release', 'pipe_create'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** The plain shape of accounts.yml: who has a password here. */
export interface Accounts {
  users: Record<string, { password: string }>;
  groups: Record<string, string[]>;
  endpoints: Partial<Record<Endpoint, { passwords: Record<string, string> }>>;
}

/** The plain shape of `server_auth` in the settings: whom an endpoint admits. */
export type ServerAuth = Partial<Record<Endpoint, { ipranges?: string[]; users?: string[]; groups?: string[] }>>;

/** passlib's: rounds, salt and hash in its own base64. Bounded, since a login works off as many rounds as it says. */
const HASH = /^\$pbkdf2-sha256\$([1-9]\d{0,6})\$[A-Za-z0-9./]{1,200}\$[A-Za-z0-9./]{43}$/;
/** What can be typed as a name of HTTP Basic, and be one of accounts.yml. */
const NAME = /^[^:\p{Cc}]{1,64}$/u;
const NO_NAME = 'nobody can be called that here: at most 64 characters, without colons and control characters';
const NO_HASH = 'this is no $pbkdf2-sha256$ hash, and a password is never taken over in the clear: set it anew';

export function mapAccounts(server: Section): { accounts: Accounts; serverAuth: ServerAuth } {
  const users = Object.entries(hashesOf(server.below('users')));
  const groups = server.below('groups');
  const accounts: Accounts = {
    users: Object.fromEntries(users.map(([name, password]) => [name, { password }])),
    groups: Object.fromEntries(
      groups.names().flatMap((name) => {
        const members = groups.texts(name) ?? [];
        if (NAME.test(name) && members.every((member) => NAME.test(member))) return [[name, members]];
        groups.leave(name, NO_NAME);
        return [];
      }),
    ),
    endpoints: {},
  };
  const serverAuth: ServerAuth = {};
  const auth = server.below('server_auth');
  for (const endpoint of ENDPOINTS) {
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
    if (Object.keys(passwords).length > 0) accounts.endpoints[endpoint] = { passwords };
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
  const [users = [], groups = []] = [section.texts('users'), section.texts('groups')];
  return {
    ...(ipranges.length === 0 ? {} : { ipranges }),
    ...(users.length === 0 ? {} : { users }),
    ...(groups.length === 0 ? {} : { groups }),
  };
}

function hashesOf(section: Section): Record<string, string> {
  const hashes = section.names().flatMap((name): [string, string][] => {
    const found = section.at(name);
    if (typeof found === 'string' && HASH.test(found) && NAME.test(name)) return [[name, found]];
    section.leave(name, NAME.test(name) ? NO_HASH : NO_NAME);
    return [];
  });
  // defines own properties, whatever somebody is called
  return Object.fromEntries(hashes);
}
