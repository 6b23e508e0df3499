/** The words of sudoers(5) that say who may do what; what this cannot make out it says, and nothing is concluded from the rest. */

/** `A, !B` in the order written. */
export type Names = readonly string[];

export interface Sudoers {
  /** kind (`User`, `Runas`, `Host`, `Cmnd`) and name → members */
  aliases: Map<string, Names>;
  defaults: DefaultsLine[];
  rules: Rule[];
  /** lines that are not understood */
  unclear: string[];
}

export interface DefaultsLine {
  /** undefined: for everybody; else `:` users, `@` hosts, `>` targets, `!` commands */
  scope?: { kind: string; names: Names };
  options: Names;
}

export interface Rule {
  users: Names;
  hosts: Names;
  commands: Allowed[];
}

export interface Allowed {
  /** as whom; undefined: not said, which is root unless `runas_default` says otherwise; of groups only: an empty list */
  runAs?: Names;
  /** PASSWD or NOPASSWD; undefined: as the defaults say */
  password?: boolean;
  /** `ALL`, a path with arguments, an alias; after `!` it is forbidden */
  command: string;
}

/** @param lines logical ones, as `logicalLines` gives them */
export function parseSudoers(lines: readonly string[]): Sudoers {
  const parsed: Sudoers = { aliases: new Map(), defaults: [], rules: [], unclear: [] };
  for (const line of lines) {
    const alias = /^(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)$/.exec(line);
    const understood =
      alias !== null
        ? addAliases(parsed, alias[1] === 'Cmd' ? 'Cmnd' : (alias[1] ?? ''), alias[2] ?? '')
        : /^Defaults([@:!>\s]|$)/.test(line)
          ? addDefaults(parsed, line)
          : addRule(parsed, line);
    if (!understood) parsed.unclear.push(line);
  }
  return parsed;
}

/** Lines that a backslash continues are one; comments, which none continues, are gone, but `#0` where a user may stand is no comment. */
export function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let begun = '';
  for (const line of text.split(/\r?\n/)) {
    const whole = begun + line;
    const kept = withoutComment(whole);
    if (kept.length === whole.length && /(?:^|[^\\])(?:\\\\)*\\$/.test(whole)) {
      begun = `${whole.slice(0, -1)} `;
      continue;
    }
    begun = '';
    lines.push(kept.trim());
  }
  return [...lines, begun.trim()].filter((line) => line !== '');
}

function withoutComment(line: string): string {
  let quoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at];
    if (char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (char === '#' && !quoted && !isWord(line, at)) return line.slice(0, at);
  }
  return line;
}

/** `#include`, and the number of a user where one may stand. */
function isWord(line: string, at: number): boolean {
  const before = line.slice(0, at).trimEnd();
  const rest = line.slice(at);
  if (before === '' && /^#include(dir)?\s/.test(rest)) return true;
  return /^#\d+/.test(rest) && (before === '' || /[,!(:%]$/.test(before));
}

/** Splits where the separator stands outside quotes, parentheses and escapes. */
export function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\\') {
      part += char + (text[at + 1] ?? '');
      at += 1;
      continue;
    }
    if (char === '"') quoted = !quoted;
    else if (!quoted && char === '(') depth += 1;
    else if (!quoted && char === ')') depth -= 1;
    if (char === separator && !quoted && depth <= 0) {
      parts.push(part.trim());
      part = '';
    } else part += char;
  }
  return [...parts, part.trim()];
}

function names(text: string): string[] {
  return splitAt(text, ',')
    .map((name) => name.replace(/^!\s+/, '!').replaceAll('"', '').replaceAll(/\\(.)/g, '$1'))
    .filter((name) => name !== '');
}

function addAliases(parsed: Sudoers, kind: string, text: string): boolean {
  // Digests and IPv6 addresses hold colons too: an alias begins anew only with `: NAME =`.
  const parts = text.split(/(?<!\\):(?=\s*[A-Z][A-Z0-9_]*\s*=)/);
  return parts.every((part) => {
    const [, name, members] = /^\s*([A-Z][A-Z0-9_]*)\s*=\s*(.+)$/.exec(part) ?? [];
    if (name === undefined || members === undefined) return false;
    parsed.aliases.set(`${kind} ${name}`, kind === 'Cmnd' ? splitAt(members, ',').map(plainCommand) : names(members));
    return true;
  });
}

function addDefaults(parsed: Sudoers, line: string): boolean {
  const [, kind, scope, options = ''] =
    /^Defaults(?:([@:!>])\s*((?:[^\s,"\\]|\\.|"[^"]*")+(?:\s*,\s*(?:[^\s,"\\]|\\.|"[^"]*")+)*))?\s+(.*)$/.exec(line) ??
    [];
  if (options === '') return false;
  const one: DefaultsLine = { options: splitAt(options, ',').map((option) => option.replace(/^!\s+/, '!')) };
  if (kind !== undefined && scope !== undefined) one.scope = { kind, names: names(scope) };
  parsed.defaults.push(one);
  return true;
}

const WORD = String.raw`(?:[^\s"\\=]|\\.|"[^"]*")+`;
/** Users, hosts, and all behind the first `=`. */
const RULE = new RegExp(`^(${WORD})\\s+(${WORD})\\s*=(.+)$`);
const HOSTS = new RegExp(`^(${WORD})\\s*=(.+)$`);
const TAG =
  /^(NOPASSWD|PASSWD|NOEXEC|EXEC|SETENV|NOSETENV|LOG_INPUT|NOLOG_INPUT|LOG_OUTPUT|NOLOG_OUTPUT|MAIL|NOMAIL|FOLLOW|NOFOLLOW|INTERCEPT|NOINTERCEPT)\s*:\s*/;
const OPTION =
  /^(ROLE|TYPE|PRIVS|LIMITPRIVS|APPARMOR_PROFILE|CWD|CHROOT|TIMEOUT|NOTBEFORE|NOTAFTER)\s*=\s*("[^"]*"|\S+)\s*/;

function addRule(parsed: Sudoers, line: string): boolean {
  // Lists as one word each.
  const tight = line.replaceAll(/\s*,\s*/g, ',').replaceAll(/!\s+/g, '!');
  const [, users, hosts, rest] = RULE.exec(tight) ?? [];
  if (users === undefined || hosts === undefined || rest === undefined) return false;
  const parts = splitHosts(rest);
  let where = hosts;
  for (const [index, part] of parts.entries()) {
    const [, next, commands] = index === 0 ? [undefined, hosts, part] : (HOSTS.exec(part) ?? []);
    if (next === undefined || commands === undefined) return false;
    where = next;
    parsed.rules.push({ users: names(users), hosts: names(where), commands: allowed(commands) });
  }
  return true;
}

/** What a colon belongs to where no further hosts follow it. */
const BEFORE_COLON =
  '(?:(?:NO)?(?:PASSWD|EXEC|SETENV|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT)|sha(?:224|256|384|512))';
const NEXT_HOSTS = new RegExp(String.raw`(?<!\\)(?<!${BEFORE_COLON}\s*)\s*:\s*(?=[\w!+"][\w.*?!,+"-]*\s*=)`);

/** `A = x : B = y`: a colon with a list of hosts and `=` behind it; those of tags, targets and digests have none. */
function splitHosts(text: string): string[] {
  return text.split(NEXT_HOSTS).map((part) => part.trim());
}

/** Targets and tags count for the commands behind them too, until others are named. */
function allowed(text: string): Allowed[] {
  let runAs: Names | undefined;
  let password: boolean | undefined;
  return splitAt(text, ',').map((item) => {
    let rest = item;
    const [target, inside] = /^\(([^)]*)\)\s*/.exec(rest) ?? [];
    if (target !== undefined) {
      runAs = names(splitAt(inside ?? '', ':')[0] ?? '');
      rest = rest.slice(target.length);
    }
    for (;;) {
      const tag = TAG.exec(rest);
      if (tag?.[1] === 'NOPASSWD') password = false;
      if (tag?.[1] === 'PASSWD') password = true;
      const skipped = tag?.[0] ?? OPTION.exec(rest)?.[0];
      if (skipped === undefined) break;
      rest = rest.slice(skipped.length);
    }
    return {
      ...(runAs === undefined ? {} : { runAs }),
      ...(password === undefined ? {} : { password }),
      command: plainCommand(rest),
    };
  });
}

/** Without the digest that it must have. */
function plainCommand(text: string): string {
  return text.replace(/^(?:sha(?:224|256|384|512)\s*:\s*[\w+/=]+\s*,?\s*)+/, '').trim();
}
