/**
 * A value that a host reported: JSON, and dates where a key ends in `_at` (see wire/dates.ts).
 * Keys are whatever the host sent: `$where`, `a.b`, `__proto__` are ordinary keys here; only store/ escapes them.
 */
export type Value = null | boolean | number | string | Date | Value[] | Fields;

export interface Fields {
  [key: string]: Value;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** Sets an own property, also where the key is `__proto__`, which a plain assignment would swallow. */
export function setField(fields: Fields, key: string, value: Value): void {
  if (key === '__proto__') {
    Object.defineProperty(fields, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    fields[key] = value;
  }
}

/** The own value under the key: never something inherited, such as `constructor`. */
export function getField(fields: Fields, key: string): Value | undefined {
  return Object.hasOwn(fields, key) ? Reflect.get(fields, key) : undefined;
}

/** The value at a dotted path, or undefined where a step is missing. Keys that themselves hold a dot cannot be reached. */
export function valueAt(value: Value | undefined, path: string): Value | undefined {
  let at: Value | undefined = value;
  for (const step of path.split('.')) {
    if (Array.isArray(at)) at = at[Number(step)];
    else if (isFields(at)) at = getField(at, step);
    else return undefined;
  }
  return at;
}

/** Equality of values: dates as instants to the millisecond, objects whatever the order of their keys. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (a instanceof Date || b instanceof Date) {
    return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  }
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((member, index) => sameValue(member, b[index]));
  }
  if (!isFields(a) || !isFields(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameValue(getField(a, key), getField(b, key)))
  );
}
