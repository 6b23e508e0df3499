import type { Value } from './value.ts';

/** Characters of a key that a store may have to write otherwise, in at most five bytes instead of one. */
const ODD = /[$.\0\u241b]/g;
const ODD_COST = 4;

/**
 * Bytes that a value takes as BSON (bsonspec.org, version 1.1), or a little more: what decides whether a host's document
 * still fits. JSON would flatter it: a list of digits is five times as large in BSON.
 */
export function documentSize(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number' || value instanceof Date) return 8;
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, member, index) => sum + 2 + digits(index) + documentSize(member), 5);
  }
  return Object.entries(value).reduce((sum, [key, member]) => sum + 2 + keySize(key) + documentSize(member), 5);
}

function keySize(key: string): number {
  const odd = key === '' ? 1 : (key.match(ODD)?.length ?? 0);
  return Buffer.byteLength(key) + odd * ODD_COST + (key.startsWith('_') ? ODD_COST : 0);
}

function digits(index: number): number {
  return String(index).length;
}
