/** A key of the original's settings that nothing here answers to. Its value may be a secret, and is never shown. */
export interface Leftover {
  file: string;
  /** as the original writes a path: `logging:syslog:host` */
  key: string;
  why: string;
}

/** What came up while one settings file was read. */
export interface Notes {
  file: string;
  leftovers: Leftover[];
  /** keys whose value is of no kind that the original could have used: `KEY: expected …` */
  wrong: string[];
}

/** A group of an original's settings. What is asked for is known; `rest` tells of everything else. */
export interface Section {
  /** undefined where it is absent or empty */
  at(key: string): unknown;
  text(key: string): string | undefined;
  flag(key: string): boolean | undefined;
  /** the original takes one text where it takes a list */
  texts(key: string): string[] | undefined;
  below(key: string): Section;
  names(): string[];
  wrong(key: string, expected: string): void;
  leave(key: string, why: string): void;
  /** Leaves all keys that nobody has asked for. */
  rest(why: string): void;
}

export function sectionOf(value: unknown, notes: Notes, prefix = ''): Section {
  const path = (key: string) => (prefix === '' ? key : `${prefix}:${key}`);
  const asked = new Set<string>();
  const group = isGroup(value) ? value : {};
  if (value !== undefined && value !== null && !isGroup(value)) {
    notes.wrong.push(`${prefix === '' ? 'the file' : prefix}: expected a group of keys`);
  }
  const names = () => Object.keys(group).filter((key) => (group[key] ?? undefined) !== undefined);
  const section: Section = {
    names,
    at(key) {
      asked.add(key);
      return (Object.hasOwn(group, key) ? group[key] : undefined) ?? undefined;
    },
    text(key) {
      const found = section.at(key);
      if (found === undefined || typeof found === 'string') return found === '' ? undefined : found;
      if (typeof found === 'number') return String(found);
      section.wrong(key, 'a text');
      return undefined;
    },
    flag(key) {
      const found = section.at(key);
      if (found === undefined || typeof found === 'boolean') return found;
      section.wrong(key, 'true or false');
      return undefined;
    },
    texts(key) {
      const found = section.at(key);
      if (found === undefined) return undefined;
      const list = Array.isArray(found) ? found : [found];
      const texts = list.flatMap((one: unknown) => (typeof one === 'string' && one !== '' ? [one] : []));
      if (texts.length !== list.length) section.wrong(key, 'a text, or a list of texts');
      return texts;
    },
    below: (key) => sectionOf(section.at(key), notes, path(key)),
    wrong: (key, expected) => void notes.wrong.push(`${path(key)}: expected ${expected}`),
    leave(key, why) {
      asked.add(key);
      notes.leftovers.push({ file: notes.file, key: path(key), why });
    },
    rest(why) {
      for (const key of names()) if (!asked.has(key)) section.leave(key, why);
    },
  };
  return section;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
