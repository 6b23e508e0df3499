import { isFields } from '../../../core/value.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import { parseJson } from '../parse-json.ts';

const HOMED = '/var/lib/systemd/home';

interface Home {
  user: string;
  folder: string;
  uid: number;
}

export const homeEncryption: Fact = {
  name: 'home_encryption',
  look: async (host: HostAccess) => {
    const passwd = await textOf(host, '/etc/passwd');
    if (passwd === undefined) return unknown('cannot read /etc/passwd');
    const homes = parseHomes(passwd);
    const flags = await fscryptFlags(host, homes);
    const local = await Promise.all(
      homes.map(async (home) => ({ user: home.user, by: await encryptedBy(host, home, flags) })),
    );
    return [...local, ...(await managedHomes(host))].sort((a, b) => (a.user < b.user ? -1 : 1));
  },
};

/** Accounts of people (login.defs(5): UID_MIN to UID_MAX) that can log in. */
export function parseHomes(passwd: string): Home[] {
  return passwd.split('\n').flatMap((line) => {
    const [user, , uid, , , folder, shell] = line.split(':');
    if (user === undefined || folder === undefined || shell === undefined) return [];
    if (!(Number(uid) >= 1000 && Number(uid) <= 60_000) || /\/(?:nologin|false)$/.test(shell.trim())) return [];
    return /^\/.*[^/]$/.test(folder) ? [{ user, folder, uid: Number(uid) }] : [];
  });
}

async function encryptedBy(host: HostAccess, { user, folder, uid }: Home, flags: FlagsOrReason): Promise<unknown> {
  // ecryptfs-setup-private(1) keeps the settings beside the homes, so that they can be read before one is opened.
  const target = await host
    .readText(`/home/.ecryptfs/${user}/.ecryptfs/Private.mnt`, { max: 4096, of: uid })
    .catch(() => undefined);
  if (target?.trim() === folder) return 'ecryptfs';
  if (flags === 'unused') return 'none';
  if (typeof flags === 'string') return unknown(flags);
  const seen = flags.get(folder);
  if (seen === undefined) return unknown(`lsattr does not tell of ${folder}`);
  return seen.includes('E') ? 'fscrypt' : 'none';
}

/** The flags of each home, or the word `unused`, or why they cannot be told. */
type FlagsOrReason = Map<string, string> | string;

/** fscrypt keeps its metadata at the root of the file system that holds what it encrypts (fscrypt's README, "About"). */
async function fscryptFlags(host: HostAccess, homes: readonly Home[]): Promise<FlagsOrReason> {
  const roots = new Set(homes.flatMap(({ folder }) => parents(folder)));
  const used = await Promise.all([...roots].map((root) => factsOf(host, `${root}/.fscrypt`)));
  if (used.every((facts) => facts === undefined)) return 'unused';
  const lsattr = await host.find('lsattr');
  if (lsattr === undefined) return 'lsattr is not installed';
  const { stdout } = await host.run(lsattr, ['-d', '--', ...homes.map(({ folder }) => folder)]);
  return parseLsattr(stdout);
}

/** `/a/b` lies on what is mounted at itself, /a or /. */
function parents(folder: string): string[] {
  const parts = folder.split('/').slice(1);
  return ['', ...parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`)];
}

/** Lines of `lsattr -d`: flags, a space, the path (chattr(1): E is "encrypted"). */
export function parseLsattr(text: string): Map<string, string> {
  const lines = text.split('\n').flatMap((line) => {
    const [, flags, path] = /^([-A-Za-z]{10,40})\s+(\/.*)$/.exec(line) ?? [];
    return flags === undefined || path === undefined ? [] : [[path, flags] as const];
  });
  return new Map(lines);
}

/** systemd-homed's own accounts, which are not in /etc/passwd; their records are root's. */
async function managedHomes(host: HostAccess): Promise<{ user: string; by: unknown }[]> {
  const names = (await namesIn(host, HOMED)) ?? [];
  const users = names.flatMap((name) => /^(.+)\.identity$/.exec(name)?.[1] ?? []);
  return Promise.all(
    users.map(async (user) => ({ user, by: storageOf((await textOf(host, `${HOMED}/${user}.identity`)) ?? '') })),
  );
}

/** JSON user record (systemd.io/USER_RECORD): `storage` of this machine is in `binding`. */
export function storageOf(record: string): unknown {
  const json = parseJson(record);
  const bindings = isFields(json) && isFields(json['binding']) ? Object.values(json['binding']).filter(isFields) : [];
  const storage = bindings.map((binding) => binding['storage']).find((each) => typeof each === 'string');
  switch (storage) {
    case 'luks':
    case 'fscrypt':
      return `homed-${storage}`;
    case 'directory':
    case 'subvolume':
      return 'none';
    default:
      return unknown('cannot make out how systemd-homed stores it');
  }
}
