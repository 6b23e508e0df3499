import type { Allowed, DefaultsLine, Names, Sudoers } from './parse-sudoers.ts';

/** Who may do what without being root; root itself is left out. */
export interface SudoPowers {
  /** who may run every command as root; `password`: whether it is asked for, undefined where that cannot be told */
  everything: { who: string; password?: boolean }[];
  /** who may run some commands as root without a password */
  passwordless: { who: string; commands: string[] }[];
  /** its members are never asked */
  exemptGroup?: string;
}

type Sure = true | false | undefined;
const ROOT = new Set(['root', '#0']);
const DEEPEST = 16;

/**
 * What sudo would do on the host of that name: of several rules the last one counts (sudoers(5)).
 * @param groupsOf the groups of an account, as far as this machine knows them
 */
export function judgeSudoers(
  sudoers: Sudoers,
  hostname: string,
  groupsOf: (user: string) => readonly string[] = () => [],
): SudoPowers {
  const everything = new Map<string, { password?: boolean }>();
  const passwordless = new Map<string, Set<string>>();
  const defaults = judgeDefaults(sudoers, hostname);
  const asked = (who: string, one: Allowed) => one.password ?? defaults.asRoot ?? askedFor(defaults, who, groupsOf);
  for (const { users, hosts, commands } of sudoers.rules) {
    const here = matches(expand(sudoers, 'Host', hosts), (name) => isHost(name, hostname));
    if (here === false) continue;
    const people = expand(sudoers, 'User', users).filter((name) => !name.startsWith('!') && !ROOT.has(name));
    for (const who of people) {
      for (const one of commands) {
        if (!asRoot(sudoers, one, defaults.runAs)) continue;
        const all = matches(expand(sudoers, 'Cmnd', [one.command]), (name) => name === 'ALL') === true;
        const those = [who, ...unlike(who, one, { defaults, groupsOf, asked })];
        for (const each of those) {
          const password = asked(each, one);
          if (all) allowEverything({ everything, passwordless }, each, here === true, password);
          else if (here === true) allowOne(passwordless, each, one.command, password);
        }
      }
    }
  }
  const exempt = defaults.exemptGroup;
  return {
    everything: sorted(everything).map(([who, { password }]) => ({
      who,
      ...(who === `%${exempt}` ? { password: false } : password === undefined ? {} : { password }),
    })),
    passwordless: sorted(passwordless)
      .filter(([, commands]) => commands.size > 0)
      .map(([who, commands]) => ({ who, commands: [...commands].sort() })),
    ...(exempt === undefined ? {} : { exemptGroup: exempt }),
  };
}

type Groups = (user: string) => readonly string[];

/** Members of a group, or anybody, of whom a password is asked otherwise than of the others. */
function unlike(
  who: string,
  one: Allowed,
  given: { defaults: JudgedDefaults; groupsOf: Groups; asked: (who: string, one: Allowed) => boolean },
): string[] {
  const { defaults, groupsOf, asked } = given;
  const isOf = (name: string) => who === 'ALL' || (who.startsWith('%') && groupsOf(name).includes(who.slice(1)));
  const named = [...new Set(defaults.authenticate.map((each) => each.who))];
  return named.filter(
    (name) =>
      name !== who && /^[^%+]/.test(name) && name !== 'ALL' && isOf(name) && asked(name, one) !== asked(who, one),
  );
}

function askedFor({ authenticate }: JudgedDefaults, who: string, groupsOf: Groups): boolean {
  const groups = who === 'ALL' || /^[%+]/.test(who) ? [] : groupsOf(who).map((group) => `%${group}`);
  const names = new Set(['ALL', who, ...groups]);
  return authenticate.filter((each) => names.has(each.who)).at(-1)?.asked ?? true;
}

function allowEverything(
  {
    everything,
    passwordless,
  }: { everything: Map<string, { password?: boolean }>; passwordless: Map<string, Set<string>> },
  who: string,
  here: boolean,
  password: boolean,
): void {
  if (here) {
    // The last rule for everybody replaces the earlier ones for somebody.
    if (who === 'ALL') everything.clear();
    everything.set(who, { password });
    if (!password) return;
    if (who === 'ALL') passwordless.clear();
    else passwordless.delete(who);
    return;
  }
  // Where it may not be for this host, what was said before may still hold.
  everything.set(who, everything.get(who)?.password === password ? { password } : {});
}

/** Its arguments, which may hold secrets, are left out. */
function allowOne(passwordless: Map<string, Set<string>>, who: string, command: string, password: boolean): void {
  const program = programOf(command.replace(/^!/, ''));
  const commands = passwordless.get(who) ?? new Set();
  if (password && program === command) commands.delete(program);
  if (!password && !command.startsWith('!')) passwordless.set(who, commands.add(program));
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface JudgedDefaults {
  /** in the order of the file, of which the last counts; who: `ALL` for everybody */
  authenticate: { who: string; asked: boolean }[];
  /** of `Defaults>root` and `Defaults!ALL`, which go before all others */
  asRoot?: boolean;
  runAs: string;
  exemptGroup?: string;
}

function judgeDefaults(sudoers: Sudoers, hostname: string): JudgedDefaults {
  const judged: JudgedDefaults = { authenticate: [], runAs: 'root' };
  for (const { scope, options } of sudoers.defaults) {
    if (isElsewhere(sudoers, scope, hostname)) continue;
    const forRoot = scope?.kind === '>' || scope?.kind === '!';
    const people =
      scope?.kind === ':' ? expand(sudoers, 'User', scope.names).filter((name) => !name.startsWith('!')) : ['ALL'];
    for (const option of options) {
      const [, name, value] = /^([\w!]+)\s*(?:[+-]?=\s*"?([^"]*)"?)?$/.exec(option) ?? [];
      if (name === 'authenticate' || name === '!authenticate') {
        const asked = name === 'authenticate';
        if (forRoot) judged.asRoot = asked;
        else judged.authenticate.push(...people.map((who) => ({ who, asked })));
      } else if (forRoot) continue;
      else if (name === 'runas_default' && value !== undefined && scope === undefined) judged.runAs = value;
      else if (name === 'exempt_group' && value !== undefined && value !== '') judged.exemptGroup = value;
      else if (name === '!exempt_group') delete judged.exemptGroup;
    }
  }
  return judged;
}

/** For another host, or for other users and commands than root and all. */
function isElsewhere(sudoers: Sudoers, scope: DefaultsLine['scope'], hostname: string): boolean {
  const names = (kind: string) => expand(sudoers, kind, scope?.names ?? []);
  switch (scope?.kind) {
    case '@':
      return matches(names('Host'), (name) => isHost(name, hostname)) !== true;
    case '>':
      return matches(names('Runas'), (name) => name === 'ALL' || ROOT.has(name)) !== true;
    case '!':
      return matches(names('Cmnd'), (name) => name === 'ALL') !== true;
    default:
      return false;
  }
}

/** Aliases replaced by their members; `!` before one turns all of them round. */
function expand({ aliases }: Pick<Sudoers, 'aliases'>, kind: string, list: Names, depth = 0): string[] {
  if (depth > DEEPEST) return [];
  return list.flatMap((each) => {
    const bare = each.replace(/^!+/, '');
    const negated = (each.length - bare.length) % 2 === 1;
    const members = aliases.get(`${kind} ${bare}`);
    const all = members === undefined ? [bare] : expand({ aliases }, kind, members, depth + 1);
    return negated ? all.map((name) => (name.startsWith('!') ? name.slice(1) : `!${name}`)) : all;
  });
}

/** The last member that fits decides. @returns undefined where one that may or may not fit comes last */
function matches(list: readonly string[], fits: (name: string) => Sure): Sure {
  let answer: Sure = false;
  for (const each of list) {
    const fit = fits(each.replace(/^!/, ''));
    if (fit === undefined) answer = undefined;
    else if (fit) answer = !each.startsWith('!');
  }
  return answer;
}

function asRoot(sudoers: Sudoers, { runAs }: Allowed, byDefault: string): boolean {
  const targets = runAs === undefined ? [byDefault] : expand(sudoers, 'Runas', runAs);
  return matches(targets, (name) => name === 'ALL' || ROOT.has(name)) === true;
}

/** Addresses and netgroups are not compared. */
function isHost(pattern: string, hostname: string): Sure {
  if (pattern === 'ALL') return true;
  if (pattern.startsWith('+') || /^[\d.]+(\/|$)/.test(pattern) || pattern.includes(':')) return undefined;
  const expression = pattern
    .replaceAll(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const names = [hostname, hostname.split('.')[0] ?? ''];
  // A pattern with brackets is rare, and not worth being wrong about.
  if (/[[\]]/.test(pattern)) return undefined;
  return names.some((name) => new RegExp(`^${expression}$`, 'i').test(name));
}

/** Without its arguments, in which passwords and tokens stand. A backslash keeps a blank within the path (sudoers(5)). */
function programOf(command: string): string {
  return /^(?:\\.|[^\s\\])+/.exec(command)?.[0] ?? '';
}
