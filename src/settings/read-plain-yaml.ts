/** Nothing that YAML might take for a line break, an indentation or a mark of its own. */
const STRANGE = /[^\n\x20-\x7e\u00a1-\u2027\u2030-\ud7ff]/;
const EMPTY = /^ *(?:#.*)?$/;
const ENTRY = /^( *)([a-z][a-z_]*):(?: +([^ #].*?))?(?: +#.*)?$/;
const LIST = /^\[ *([^[\]]*?) *\]$/;
const WORD = /^[A-Za-z/][A-Za-z0-9._/-]*(?::[A-Za-z0-9._/-]+)*$/;
const QUANTITY = /^[1-9]\d{0,5}[smhdKMG]$/;
const NUMBER = /^(?:0|[1-9]\d{0,8})$/;
/** Words that are no texts in YAML 1.2, or were none in 1.1. */
const RESERVED = /^(?:null|true|false|yes|no|on|off|y|n)$/i;

type Scalar = string | number | boolean;
type Value = Scalar | Scalar[] | null;
type Group = Map<string, Value | Group>;

const STEP = 2;
/** `collectors:`, `  geolocation:`, `    url:` */
const DEEPEST = 2;

/**
 * Reads the YAML that most settings are written in: keys with words, numbers, true, false or short lists, in groups of two levels, and comments.
 * The same value as read-yaml.ts would give, without loading the parser, which takes ten times as long as all of this.
 * @returns undefined where anything else is in the text, mistakes included: read-yaml.ts has the say then
 */
export function readPlainYaml(text: string): Record<string, unknown> | undefined {
  if (STRANGE.test(text)) return undefined;
  const top: Group = new Map();
  /** the group that each depth writes into; those behind the last are closed */
  let open: Group[] = [top];
  /** where the last key stands, and that it had nothing behind it */
  let empty: { group: Group; key: string; depth: number } | undefined;
  for (const line of text.split('\n')) {
    if (EMPTY.test(line)) continue;
    const [, indent = '', key, written] = ENTRY.exec(line) ?? [];
    const value = written === undefined ? null : readValue(written);
    const depth = indent.length / STEP;
    if (key === undefined || value === undefined || depth > DEEPEST) return undefined;
    if (empty !== undefined && depth === empty.depth + 1) {
      const below: Group = new Map();
      empty.group.set(empty.key, below);
      open = [...open.slice(0, depth), below];
    }
    const group = open[depth];
    if (group === undefined || group.has(key)) return undefined;
    group.set(key, value);
    open = open.slice(0, depth + 1);
    empty = value === null ? { group, key, depth } : undefined;
  }
  return plainObject(top);
}

function plainObject(group: Group): Record<string, unknown> {
  return Object.fromEntries([...group].map(([key, one]) => [key, one instanceof Map ? plainObject(one) : one]));
}

function readValue(written: string): Scalar | Scalar[] | undefined {
  const list = LIST.exec(written)?.[1];
  if (list === undefined) return scalarOf(written);
  if (list === '') return [];
  const members = list.split(/ *, */).map(scalarOf);
  return members.every((one) => one !== undefined) ? members : undefined;
}

function scalarOf(written: string): Scalar | undefined {
  if (NUMBER.test(written)) return Number(written);
  if (written === 'true' || written === 'false') return written === 'true';
  if (QUANTITY.test(written) || (WORD.test(written) && !RESERVED.test(written))) return written;
  return undefined;
}
