import { type Fields, getField, type Value } from '../../core/value.ts';
import { escapeFields, escapeKey, escapeKeys } from '../escape.ts';

/** Above this many the whole is written: the server looks at each path by itself. */
const MOST_PATHS = 64;

/** What makes one stored object another. */
export interface Changed {
  set: Record<string, Value>;
  unset: Record<string, ''>;
}

/**
 * What of an object in a host's document is to be written, so that it is as it shall be.
 * @param path of the object, itself without escapes
 * @param before as read from there, and still so when it is written (a guard says that): the very values that it holds are not written again.
 * undefined: not known
 */
export function changedPaths(path: string, before: Fields | undefined, now: Fields): Changed {
  const whole = () => ({ set: { [path]: escapeFields(now) }, unset: {} });
  if (before === undefined) return whole();
  const changed = Object.entries(now).filter(
    ([name, value]) => !Object.hasOwn(before, name) || getField(before, name) !== value,
  );
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(now, name));
  if (changed.length + gone.length > MOST_PATHS) return whole();
  const inside = (name: string) => `${path}.${escapeKey(name)}`;
  return {
    set: Object.fromEntries(changed.map(([name, value]) => [inside(name), escapeKeys(value)])),
    unset: Object.fromEntries(gone.map((name) => [inside(name), ''])),
  };
}
