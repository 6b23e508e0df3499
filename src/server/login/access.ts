import { BlockList, isIPv6 } from 'node:net';
import { GUARDED, type GuardedEndpoint } from '../../core/access.ts';
import { type PasswordHash, readPasswordHash } from '../../crypto/password-hash.ts';
import { digestOfHash } from '../../crypto/passwords.ts';
import type { Accounts } from '../../settings/accounts.ts';
import { parseAddressRange } from '../../settings/address-range.ts';
import type { PasswordUpgrades } from '../../settings/password-upgrades.ts';
import type { AccessSettings, ServerSettings } from '../../settings/server-settings.ts';

/** Who may use one endpoint. */
export interface EndpointAccess {
  /** false: nothing was said of it, so nobody may */
  configured: boolean;
  /** whether an address lets in */
  holds(address: string): boolean;
  /** the hashes by which this user may come in; none where there is no such user, or it may not */
  hashesOf(user: string): PasswordHash[];
  /** so many hashes are checked for each login, whoever it is for: as many as the user with the most has; 0: nobody comes in by a password */
  slots: number;
}

/** Who may use what, made of one reading of settings and accounts. */
export interface Access {
  endpoint(name: GuardedEndpoint): EndpointAccess;
  /** whether there is an account of this name, anywhere: only such a name may be logged */
  knows(user: string): boolean;
  /** PBKDF2 rounds of the dearest hash of the original's that is left; 0: none is */
  rounds(): number;
  /** From now on `next` counts in the place of this hash. */
  upgrade(old: PasswordHash, next: string): void;
}

export interface AccessParts {
  auth: ServerSettings['server_auth'];
  accounts: Accounts;
  upgrades: PasswordUpgrades;
}

export function compileAccess({ auth, accounts, upgrades }: AccessParts): Access {
  const replaced = new Map(Object.entries(upgrades));
  const hashes = allHashes(accounts);
  const current = (text: string): PasswordHash | undefined => {
    const hash = readPasswordHash(text);
    const next = hash?.kind === 'pbkdf2-sha256' ? replaced.get(digestOfHash(text)) : undefined;
    return next === undefined ? hash : readPasswordHash(next);
  };
  const dearest = (): number =>
    Math.max(0, ...hashes.map(current).map((hash) => (hash?.kind === 'pbkdf2-sha256' ? hash.rounds : 0)));
  let rounds = dearest();
  const endpoints = new Map(GUARDED.map((name) => [name, compileEndpoint(name, { auth, accounts }, current)]));
  const users = new Set([accounts.users, ...Object.values(accounts.endpoints)].flatMap(Object.keys));
  return {
    endpoint(name) {
      const found = endpoints.get(name);
      if (found === undefined) throw new TypeError(`${name} is no guarded endpoint`);
      return found;
    },
    knows: (user) => users.has(user),
    rounds: () => rounds,
    upgrade(old, next) {
      replaced.set(digestOfHash(old.text), next);
      rounds = dearest();
    },
  };
}

function allHashes({ users, endpoints }: Accounts): string[] {
  return [users, ...Object.values(endpoints)].flatMap((each) => Object.values(each));
}

function compileEndpoint(
  name: GuardedEndpoint,
  { auth, accounts }: Pick<AccessParts, 'auth' | 'accounts'>,
  current: (text: string) => PasswordHash | undefined,
): EndpointAccess {
  const { ipranges = [], users = [], groups = [] }: Partial<AccessSettings> = auth[name] ?? {};
  const own = new Map(Object.entries(accounts.endpoints[name]));
  const everywhere = new Map(Object.entries(accounts.users));
  const members = new Map(Object.entries(accounts.groups));
  const admitted = new Set([...users, ...groups.flatMap((group) => members.get(group) ?? [])]);
  const textsOf = (user: string): string[] =>
    [own.get(user), admitted.has(user) ? everywhere.get(user) : undefined].filter((text) => text !== undefined);
  const slots = Math.max(0, ...[...own.keys(), ...admitted].map((user) => textsOf(user).length));
  const list = listOf(ipranges);
  return {
    configured: ipranges.length + users.length + groups.length + own.size > 0,
    holds: (address) => isIn(list, address),
    hashesOf: (user) => textsOf(user).flatMap((text) => current(text) ?? []),
    slots,
  };
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges.flatMap((text) => parseAddressRange(text, { everybody: true }) ?? [])) {
    list.addSubnet(range.address, range.prefix, range.family);
  }
  return list;
}

/** @param address as client-address.ts tells it; `gone` where nobody is there any more */
function isIn(list: BlockList, address: string): boolean {
  // A link-local address comes with its interface, which no range names.
  const [plain = ''] = address.split('%');
  return address !== 'gone' && list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}
