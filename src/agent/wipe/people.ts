import { type Account, parsePasswd } from '../collectors/accounts/parse-accounts.ts';

/** Of an account that is a person's. */
export interface Person {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

export interface People {
  persons: Person[];
  /** accounts in the range of persons that are left alone, and why */
  left: { name: string; why: string }[];
  /** numbers that login.defs gives to persons */
  range: { min: number; max: number };
  /** home directories of all others */
  otherHomes: string[];
  /** numbers of the accounts of this machine, persons' and others */
  known: ReadonlySet<number>;
}

export interface AccountFiles {
  passwd: string;
  /** names to values */
  loginDefs: ReadonlyMap<string, string>;
}

/** login.defs(5) */
const DEFAULT_RANGE = { min: 1000, max: 60_000 };
/** Below are accounts that distributions create (LSB: 0 to 99). */
const LOWEST_MIN = 100;
export const NOBODY = 65_534;
const NEVER = new Set(['root', 'nobody', 'nfsnobody', 'nogroup', 'daemon', 'penguindome', 'penguindome-server']);

/**
 * Whose accounts are persons': by number, as login.defs says, and never root's, nobody's or one that tools could not be told by name.
 * @throws where the range makes no sense: then nobody can tell persons from the system
 */
export function pickPeople({ passwd, loginDefs }: AccountFiles): People {
  const range = rangeOf(loginDefs);
  const accounts = parsePasswd(passwd);
  const inRange = accounts.filter(({ uid }) => uid >= range.min && uid <= range.max);
  const persons = inRange.filter((account) => whyLeft(account) === undefined);
  const others = accounts.filter((account) => !persons.includes(account));
  return {
    persons: persons.map(({ name, uid, gid, home }) => ({ name, uid, gid, home })),
    left: inRange.flatMap((account) => {
      const why = whyLeft(account);
      return why === undefined ? [] : [{ name: account.name, why }];
    }),
    range,
    otherHomes: [...new Set(others.map(({ home }) => home).filter((home) => home.startsWith('/')))],
    known: new Set(accounts.map(({ uid }) => uid)),
  };
}

function rangeOf(defs: ReadonlyMap<string, string>): { min: number; max: number } {
  const [min, max] = [
    numberOf(defs.get('UID_MIN'), DEFAULT_RANGE.min),
    numberOf(defs.get('UID_MAX'), DEFAULT_RANGE.max),
  ];
  if (min === undefined || max === undefined || min < LOWEST_MIN || max < min) {
    throw new Error('cannot tell persons from system accounts: UID_MIN and UID_MAX of /etc/login.defs make no sense');
  }
  return { min, max };
}

/** strtoul(3) with base 0, as shadow-utils read it: 0x3e8 and 01750 are 1000. */
function numberOf(text: string | undefined, other: number): number | undefined {
  if (text === undefined) return other;
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) return Number.parseInt(text.slice(2), 16);
  if (/^0[0-7]{1,11}$/.test(text)) return Number.parseInt(text, 8);
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

function whyLeft({ name, uid }: Account): string | undefined {
  if (uid === 0 || uid === NOBODY || NEVER.has(name)) return 'it is a system account';
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,255}\$?$/.test(name)) return 'its name is an odd one';
  return undefined;
}

/** subuid(5): numbers that a person's containers run under. */
export interface NumberRange {
  from: number;
  /** inclusive */
  to: number;
}

/** What no single account has: above all of them, nobody's number, and those that systemd gives away. */
const LOWEST_SUBORDINATE = 65_536;

/**
 * @param known numbers of accounts
 * @returns those of the persons; a range that reaches into numbers of accounts, or of what others run, is nobody's
 */
export function subordinateRanges(
  subuid: string,
  persons: readonly Person[],
  known: ReadonlySet<number>,
): NumberRange[] {
  const owners = new Set(persons.flatMap(({ name, uid }) => [name, `${uid}`]));
  const all = rangesIn(subuid);
  const others = all.filter(({ owner }) => !owners.has(owner));
  return all.flatMap(({ owner, from, to }) => {
    if (!owners.has(owner) || from < LOWEST_SUBORDINATE) return [];
    const isTaken = [...known].some((uid) => uid >= from && uid <= to);
    return isTaken || others.some((other) => other.from <= to && from <= other.to) ? [] : [{ from, to }];
  });
}

/** Numbers that containers of the system run under: root's, docker's, and whose else are no person's. */
export function systemRanges(subuid: string, persons: readonly Person[]): NumberRange[] {
  const owners = new Set(persons.flatMap(({ name, uid }) => [name, `${uid}`]));
  return rangesIn(subuid).filter(({ owner }) => !owners.has(owner));
}

function rangesIn(subuid: string): (NumberRange & { owner: string })[] {
  return subuid.split('\n').flatMap((line) => {
    const [, owner = '', start, count] = /^([^:]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    const [from, size] = [Number(start), Number(count)];
    return owner === '' || size === 0 ? [] : [{ owner, from, to: from + size - 1 }];
  });
}

/** Tells whether a number is one of theirs. */
export function ownersOf(uids: Iterable<number>, ranges: readonly NumberRange[]): (uid: number) => boolean {
  const set = new Set(uids);
  return (uid) => set.has(uid) || ranges.some(({ from, to }) => uid >= from && uid <= to);
}
