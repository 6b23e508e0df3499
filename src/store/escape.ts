import { type Fields, isFields, setField, type Value } from '../core/value.ts';

/**
 * Keys are whatever a host sends. Some of them a store cannot hold, or would take for its own:
 * `$…` and dots (operators and paths of MongoDB), NUL (the end of a BSON key), `__proto__`, the empty key,
 * and `_bsontype`, which the driver takes for one of its own classes. Here, and nowhere else, they are written otherwise:
 * U+241B and two hex digits for the character. That sign is rare enough that keys of an original database come back as they are.
 */
const SIGN = '\u241b';
const ODD_KEY = /^\$|[.\0\u241b]|^__proto__$|^_bsontype$|^$/;
const ODD_CHARACTER = /^\$|[.\0\u241b]|^_(?=_proto__$|bsontype$)/g;
const CODES: Readonly<Record<string, string>> = { $: '24', '.': '2e', '\0': '00', [SIGN]: '1b', _: '5f' };
const CHARACTERS = new Map(Object.entries(CODES).map(([character, code]) => [code, character]));

/** A key as the stores hold it. */
export function escapeKey(key: string): string {
  if (!ODD_KEY.test(key)) return key;
  // the empty key is the sign alone
  if (key === '') return SIGN;
  return key.replace(ODD_CHARACTER, (character) => SIGN + CODES[character]);
}

/** A key as the host sent it; one that was never escaped stays as it is. */
export function unescapeKey(key: string): string {
  if (!key.includes(SIGN)) return key;
  if (key === SIGN) return '';
  return key.replace(/\u241b(24|2e|00|1b|5f)/g, (whole, code: string) => CHARACTERS.get(code) ?? whole);
}

/** The value with all keys escaped, at any depth. */
export function escapeKeys(value: Value): Value {
  return mapValue(value, { key: escapeKey });
}

export function escapeFields(fields: Fields): Fields {
  return mapFields(fields, { key: escapeKey });
}

/** How to copy a value: what becomes of each key, of dates, and (where it answers) of a whole object. */
export interface Copying {
  key: (key: string) => string;
  date?: (date: Date) => Value;
  fields?: (fields: Fields) => Value | undefined;
}

export function mapValue(value: Value, how: Copying): Value {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return how.date === undefined ? value : how.date(value);
  if (Array.isArray(value)) return value.map((member) => mapValue(member, how));
  return how.fields?.(value) ?? mapFields(value, how);
}

export function mapFields(fields: Fields, how: Copying): Fields {
  const copy: Fields = {};
  for (const [key, value] of Object.entries(fields)) setField(copy, how.key(key), mapValue(value, how));
  return copy;
}

/** Whether a text of JSON may hold escaped keys or tags at all: most do not, and need no second look. */
export function mayHoldEscapes(text: string): boolean {
  return text.includes('$') || text.includes(SIGN);
}

/** Whether it may hold escaped keys; without them it can hold no `__proto__` as a key either. */
export function mayHoldEscapedKeys(text: string): boolean {
  return text.includes(SIGN) || text.includes('__proto__');
}

/** Narrows what a decoder gave. */
export function asFields(value: Value | undefined): Fields | undefined {
  return isFields(value) ? value : undefined;
}
