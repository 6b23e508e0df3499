/**
 * The portable form of stored documents: what backups hold, and what travels from one kind of store to the other.
 *
 * A document is `Fields` with its keys escaped (store/escape.ts), so that a key that starts with `$` is always a tag
 * of MongoDB's extended JSON: `{"$date": "2026-…Z"}`, `{"$oid": "24 hex"}`, and whatever else an original database may hold.
 * Dates are `Date` in memory and tagged in text; other tags stay tags, and only mongo/ knows their classes.
 * Collections bear MongoDB's names. `_id` is kept where it means something: in patches, and in collections that we do not know.
 */
import { type Fields, getField, isFields, type Value } from '../core/value.ts';
import { asFields, escapeKey, mapFields, mapValue, mayHoldEscapedKeys, mayHoldEscapes, unescapeKey } from './escape.ts';

/** Collections in the order in which a backup holds them. Others come after `signatures`; the trail, the longest, is last. */
export const COLLECTIONS = [
  'clients',
  'enrollments',
  'tokens',
  'issues',
  'patches',
  'orders',
  'order_targets',
  'order_files',
  'order_file_pieces',
  'receipts',
  'key_statements',
  'outbox',
  'signatures',
  'audit_trail',
] as const;

const same = (key: string) => key;

/** @param value in portable form */
export function toText(value: Value): string {
  return JSON.stringify(mapValue(value, { key: same, date: tagDate }));
}

/** @throws SyntaxError where the text is no JSON */
export function fromText(text: string): Value {
  const value: Value = JSON.parse(text);
  return text.includes('$date') ? mapValue(value, { key: same, fields: dateOfTag }) : value;
}

/** A value as the product sees it (keys as sent, ObjectIds as hex) to text in portable form. */
export function writeText(value: Value): string {
  return JSON.stringify(portable(value));
}

/** The reverse of writeText. */
export function readText(text: string): Value {
  const value: Value = JSON.parse(text);
  if (!mayHoldEscapes(text)) return value;
  return mayHoldEscapedKeys(text) ? plainValue(value) : untagged(value);
}

/** What readText gives, of a part of what JSON.parse gave. */
export function plainValue(parsed: Value): Value {
  return mapValue(parsed, { key: unescapeKey, fields: (fields) => dateOfTag(fields) ?? plainTag(fields) });
}

/** With keys escaped and dates tagged. Most of a report needs neither, and is not copied. */
function portable(value: Value): Value {
  return isPortable(value) ? value : mapValue(value, { key: escapeKey, date: tagDate });
}

function isPortable(value: Value): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (value instanceof Date) return false;
  if (Array.isArray(value)) return value.every(isPortable);
  for (const key of Object.keys(value)) {
    if (escapeKey(key) !== key || !isPortable(value[key] ?? null)) return false;
  }
  return true;
}

/** What JSON.parse has just made, with values in the place of tags. */
function untagged(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(untagged);
  const keys = Object.keys(value);
  if (keys[0]?.startsWith('$')) return dateOfTag(value) ?? plainTag(value) ?? value;
  for (const key of keys) {
    const member = value[key];
    if (typeof member === 'object' && member !== null) value[key] = untagged(member);
  }
  return value;
}

/** A document in portable form as the product sees it. */
export function plainFields(document: Fields): Fields {
  return mapFields(document, { key: unescapeKey, fields: plainTag });
}

/** What the product sees of a tag: ObjectIds as hex, numbers as numbers, bytes as base64, anything else as its text. */
export function plainTag(fields: Fields): Value | undefined {
  const tag = tagOf(fields);
  if (tag === undefined) return undefined;
  const content = getField(fields, tag);
  if (tag === '$numberLong' || tag === '$numberInt' || tag === '$numberDouble') return Number(content);
  if (tag === '$binary') return getField(asFields(content) ?? {}, 'base64') ?? '';
  return typeof content === 'string' ? content : JSON.stringify(fields);
}

/** The tag's name; undefined for an object of a host, whose keys never start with a bare `$`. */
export function tagOf(fields: Fields): string | undefined {
  const [first] = Object.keys(fields);
  return first?.startsWith('$') ? first : undefined;
}

function tagDate(date: Date): Value {
  // A date beyond JavaScript's years (BSON holds them) has no ISO form.
  return Number.isNaN(date.getTime()) ? null : { $date: date.toISOString() };
}

function dateOfTag(fields: Fields): Value | undefined {
  const text = getField(fields, '$date');
  return typeof text === 'string' ? new Date(text) : undefined;
}

/** @returns undefined where the text is not an object */
export function fieldsOfText(text: string): Fields | undefined {
  const value = fromText(text);
  return isFields(value) ? value : undefined;
}
