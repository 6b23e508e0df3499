/** Between the driver's values and ours. The driver's classes stop here. */
import { BSON } from 'mongodb';
import { type Fields, isFields, setField, type Value } from '../../core/value.ts';
import { escapeKey, mapValue, unescapeKey } from '../escape.ts';
import { plainTag, tagOf } from '../portable.ts';

/**
 * A stored document as the product sees it: keys as they were sent, ObjectIds as hex.
 * @param except names that are left out
 */
export function plainDocument(document: object, except?: ReadonlySet<string>): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(document)) {
    if (except?.has(name) !== true) setField(fields, unescapeKey(name), bsonValue(value, unescapeKey, plainOfTag));
  }
  return fields;
}

const plainOfTag = (tag: Fields): Value => plainTag(tag) ?? null;

/** A stored document in portable form. Keys that an original database holds unescaped are escaped. */
export function portableDocument(document: object): Fields {
  return fieldsOf(
    document,
    (key) => escapeKey(unescapeKey(key)),
    (tag) => tag,
  );
}

/** Portable form → what the driver stores. */
export function storable(document: Fields): BSON.Document {
  const stored: BSON.Document = {};
  for (const [key, value] of Object.entries(document)) stored[key] = storableValue(value);
  return stored;
}

function storableValue(value: Value): unknown {
  if (Array.isArray(value)) return value.map(storableValue);
  if (!isFields(value)) return value;
  return tagOf(value) === undefined ? storable(value) : BSON.EJSON.deserialize(tagged(value), { relaxed: false });
}

/** Inside a tag (`$scope` of code, say) the values are extended JSON already, but for dates. */
function tagged(value: Fields): BSON.Document {
  const plain = mapValue(value, { key: (key) => key, date: (date) => ({ $date: date.toISOString() }) });
  return isFields(plain) ? plain : {};
}

function fieldsOf(document: object, key: (key: string) => string, tag: (tag: Fields) => Value): Fields {
  const fields: Fields = {};
  for (const [name, value] of Object.entries(document)) setField(fields, key(name), bsonValue(value, key, tag));
  return fields;
}

function bsonValue(value: unknown, key: (key: string) => string, tag: (tag: Fields) => Value): Value {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'bigint':
      return Number(value);
    case 'object':
      if (value === null || value instanceof Date) return value;
      if (Array.isArray(value)) return value.map((member) => bsonValue(member, key, tag));
      // Of the driver's classes it is the prototype's; an own `_bsontype` came from a host.
      if ('_bsontype' in value && !Object.hasOwn(value, '_bsontype')) return tag(extended(value));
      return fieldsOf(value, key, tag);
    default:
      return null;
  }
}

function extended(value: object): Fields {
  const text: unknown = JSON.parse(BSON.EJSON.stringify(value, { relaxed: false }));
  return isPlain(text) ? text : {};
}

/** What JSON.parse gave is made of JSON values. */
function isPlain(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
