/** One line of passwd(5). */
export interface Account {
  name: string;
  /** `x`: it is in /etc/shadow */
  password: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

export interface Group {
  name: string;
  gid: number;
  members: string[];
}

/** As the C library reads it: comments, lines for NIS (`+`, `-`) and lines without numbers are nobody's; `00` is 0. */
export function parsePasswd(text: string): Account[] {
  return entries(text).flatMap(([name = '', password = '', user = '', group = '', , home = '', shell = '']) => {
    const [uid, gid] = [idOf(user), idOf(group)];
    return uid === undefined || gid === undefined ? [] : [{ name, password, uid, gid, home, shell }];
  });
}

/** @returns what stands where the password's hash belongs, by name; of two lines the first counts */
export function parseShadow(text: string): Map<string, string> {
  const hashes = new Map<string, string>();
  for (const [name = '', hash] of entries(text)) {
    if (hash !== undefined && !hashes.has(name)) hashes.set(name, hash);
  }
  return hashes;
}

export function parseGroup(text: string): Group[] {
  return entries(text).flatMap(([name = '', , id = '', members = '']) => {
    const gid = idOf(id);
    return gid === undefined ? [] : [{ name, gid, members: members.split(',').filter((member) => member !== '') }];
  });
}

function entries(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !/^[#+-]/.test(line))
    .map((line) => line.split(':'))
    .filter(([name]) => name !== '');
}

/** strtoul(3), as the C library calls it. */
function idOf(text: string): number | undefined {
  return /^\s*\+?\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** How a password is kept; `none`: there is none to ask for, `locked`: no password fits. */
export type PasswordKind =
  | 'none'
  | 'locked'
  | 'yescrypt'
  | 'gost-yescrypt'
  | 'scrypt'
  | 'bcrypt'
  | 'sha512'
  | 'sha256'
  | 'sha1'
  | 'md5'
  | 'sunmd5'
  | 'nt'
  | 'bsdi'
  | 'des'
  | 'other';

/** The prefixes of crypt(5). */
const PREFIXES: readonly [RegExp, PasswordKind][] = [
  [/^\$y\$/, 'yescrypt'],
  [/^\$gy\$/, 'gost-yescrypt'],
  [/^\$7\$/, 'scrypt'],
  [/^\$2[abxy]?\$/, 'bcrypt'],
  [/^\$6\$/, 'sha512'],
  [/^\$5\$/, 'sha256'],
  [/^\$sha1\$/, 'sha1'],
  [/^\$1\$/, 'md5'],
  [/^\$md5[$,]/, 'sunmd5'],
  [/^\$3\$/, 'nt'],
  [/^_[./0-9A-Za-z]{19}$/, 'bsdi'],
  [/^[./0-9A-Za-z]{13}$/, 'des'],
  [/^\$/, 'other'],
];

/** What is quicker to guess than sha512, or worse. */
export const WEAK_KINDS: ReadonlySet<PasswordKind> = new Set([
  'sha256',
  'sha1',
  'md5',
  'sunmd5',
  'nt',
  'bsdi',
  'des',
] as const);

/** `!` before a hash, `*`, and whatever else is no hash: nothing that is typed fits (shadow(5)). */
export function passwordKind(hash: string): PasswordKind {
  if (hash === '') return 'none';
  return PREFIXES.find(([prefix]) => prefix.test(hash))?.[1] ?? 'locked';
}
