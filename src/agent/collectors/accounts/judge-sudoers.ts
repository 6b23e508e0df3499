import type { Allowed, Names, Sudoers } from './parse-sudoers.ts';

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

/** What sudo would do on the host of that name: of several rules the last one counts (sudoers(5)). */
export function judgeSudoers(sudoers: Sudoers, hostname: string): SudoPowers {
  const everything = new Map<string, { password?: boolean }>();
  const passwordless = new Map<string, Set<string>>();
  const defaults = judgeDefaults(sudoers, hostname);
  for (const { users, hosts, commands } of sudoers.rules) {
    const here = matches(expand(sudoers, 'Host', hosts), (name) => isHost(name, hostname));
    if (here === false) continue;
    const people = expand(sudoers, 'User', users).filter((name) => !name.startsWith('!') && !ROOT.has(name));
    for (const who of people) {
      for (const one of commands) {
        if (!asRoot(sudoers, one, defaults.runAs)) continue;
        const password = one.password ?? defaults.password.get(who) ?? defaults.password.get('ALL') ?? true;
        const all = matches(expand(sudoers, 'Cmnd', [one.command]), (name) => name === 'ALL') === true;
        if (all) {
          // The last rule for everybody replaces the earlier ones for somebody.
          if (who === 'ALL' && here === true) everything.clear();
          // Where it may not be for this host, what was said before may still hold.
          const before = everything.get(who)?.password;
          if (here === true) everything.set(who, { password });
          else everything.set(who, before === password ? { password } : {});
        } else if (!password && here === true && !one.command.startsWith('!')) {
          passwordless.set(who, (passwordless.get(who) ?? new Set()).add(programOf(one.command)));
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
    passwordless: sorted(passwordless).map(([who, commands]) => ({ who, commands: [...commands].sort() })),
    ...(exempt === undefined ? {} : { exemptGroup: exempt }),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

interface JudgedDefaults {
  /** who (`ALL`: everybody) → whether a password is asked for */
  password: Map<string, boolean>;
  runAs: string;
  exemptGroup?: string;
}

function judgeDefaults(sudoers: Sudoers, hostname: string): JudgedDefaults {
  const judged: JudgedDefaults = { password: new Map(), runAs: 'root' };
  for (const { scope, options } of sudoers.defaults) {
    if (scope?.kind === '>' || scope?.kind === '!') continue;
    if (
      scope?.kind === '@' &&
      matches(expand(sudoers, 'Host', scope.names), (name) => isHost(name, hostname)) !== true
    ) {
      continue;
    }
    const people =
      scope?.kind === ':' ? expand(sudoers, 'User', scope.names).filter((name) => !name.startsWith('!')) : ['ALL'];
    for (const option of options) {
      const [, name, value] = /^([\w!]+)\s*(?:[+-]?=\s*"?([^"]*)"?)?$/.exec(option) ?? [];
      if (name === 'authenticate' || name === '!authenticate') {
        for (const who of people) judged.password.set(who, name === 'authenticate');
      } else if (name === 'runas_default' && value !== undefined && scope === undefined) judged.runAs = value;
      else if (name === 'exempt_group' && value !== undefined && value !== '') judged.exemptGroup = value;
      else if (name === '!exempt_group') delete judged.exemptGroup;
    }
  }
  return judged;
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
