/** A value, and whether files of less weight may not change it (`[$i]`). */
interface Entry {
  value: string;
  fixed: boolean;
}

type Groups = Map<string, Map<string, Entry>>;

/** As KDE reads a configuration from several files. */
export interface KConfig {
  /** group → key → entry */
  groups: Groups;
  /** groups that the files read later cannot add keys to either */
  fixedGroups: ReadonlySet<string>;
  /** the same of all groups */
  allFixed: boolean;
}

/**
 * KDE's files of settings: `[Group]` and `Key=value`, where `[$i]` behind a key, a group or alone on a line at the top makes it immutable, so
 * that the files read later (the user's) do not count, and `Key[$d]` takes a key away.
 * @param texts the most general first (/etc/xdg), the user's own last
 */
export function parseKConfig(texts: readonly string[]): KConfig {
  const groups: Groups = new Map();
  const fixedGroups = new Set<string>();
  let allFixed = false;
  for (const text of texts) {
    if (allFixed) break;
    allFixed = readFile(text, groups, fixedGroups);
  }
  return { groups, fixedGroups, allFixed };
}

/** Whether the user's own value does not count, where none is written for all either. */
export function isFixed({ groups, fixedGroups, allFixed }: KConfig, group: string, key: string): boolean {
  return allFixed || fixedGroups.has(group) || groups.get(group)?.get(key)?.fixed === true;
}

/** @returns whether the file makes everything immutable */
function readFile(text: string, config: Groups, fixedGroups: Set<string>): boolean {
  let [group, fileFixed] = ['', false];
  const fixedHere = new Set<string>();
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (/^\[\$[a-z]*i[a-z]*\]$/.test(line)) {
      if (group === '') fileFixed = true;
      else fixedHere.add(group);
      continue;
    }
    const header = /^((?:\[[^\]$][^\]]*\])+)(\[\$([a-z]+)\])?$/.exec(line);
    if (header !== null) {
      group = (header[1] ?? '').slice(1, -1);
      if (header[3]?.includes('i')) fixedHere.add(group);
      continue;
    }
    if (!fixedGroups.has(group)) readEntry(line, group, config);
  }
  for (const each of fixedHere) fixedGroups.add(each);
  for (const each of fileFixed ? config.keys() : fixedHere) {
    for (const entry of config.get(each)?.values() ?? []) entry.fixed = true;
  }
  return fileFixed;
}

function readEntry(line: string, group: string, config: Groups): void {
  const { key, marks, value } = splitEntry(line);
  if (key === '' || /[[\]#]/.test(key)) return;
  const entries = config.get(group) ?? new Map<string, Entry>();
  if (entries.get(key)?.fixed) return;
  if (marks.includes('d')) entries.delete(key);
  else if (value !== undefined) entries.set(key, { value, fixed: marks.includes('i') });
  config.set(group, entries);
}

/** `Key=value`, `Key[$i]=value`, `Key[$d]`: by looking for the signs, since the user decides how long the line takes. */
function splitEntry(line: string): { key: string; marks: string; value?: string } {
  const at = line.indexOf('=');
  const left = (at === -1 ? line : line.slice(0, at)).trimEnd();
  const marks = left.endsWith(']') ? left.lastIndexOf('[$') : -1;
  const marked = marks === -1 ? '' : left.slice(marks + 2, -1);
  const isMarked = /^[a-z]+$/.test(marked);
  return {
    key: isMarked ? left.slice(0, marks).trimEnd() : left,
    marks: isMarked ? marked : '',
    ...(at === -1 ? {} : { value: line.slice(at + 1).trimStart() }),
  };
}
