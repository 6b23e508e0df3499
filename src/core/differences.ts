import type { TrailRecord } from './trail.ts';
import { type Fields, getField, isFields, type Value } from './value.ts';

/** What of a host's document the trail follows. An absent part of a report leaves the stored one as it is. */
interface Reported {
  plugins?: Fields | undefined;
  commands?: Fields | undefined;
}

type Change = Pick<TrailRecord, 'key' | 'type' | 'old' | 'new'>;

/**
 * The audit trail of a report: one record per changed path, in the order of the paths' keys (wire-v1, "submit").
 *
 * - The first report of a host changes nothing: there is no trail before there is something to compare with.
 * - Objects are compared key by key; one that is wholly new or gone is recorded at the path where it begins.
 * - A list is compared element by element and recorded whole.
 * - Keys ending in `_at` take no part; values under keys ending in `-encrypted` compare by their `hash`.
 * - In `key`, a dot or backslash that belongs to a name is written with a backslash before it: `plugins.x.a\.b`.
 *
 * @param before the host as stored; undefined where it is new
 * @param after the report as it is to be stored: v1's commands merged with those that stay
 */
export function differences(hostname: string, before: Reported | undefined, after: Reported, at: Date): TrailRecord[] {
  if (before === undefined || (before.plugins === undefined && before.commands === undefined)) return [];
  const parts = ['commands', 'plugins'] as const;
  return parts
    .flatMap((part) => (after[part] === undefined ? [] : changesAt(part, part, before[part], after[part])))
    .map((change) => ({ hostname, audited_at: at, ...change }));
}

/** @param key the last step of the path, as reported */
function changesAt(path: string, key: string, old: Value | undefined, now: Value | undefined): Change[] {
  // The very object that is stored stands in a report for what did not change.
  if (old === now) return [];
  if (old === undefined) return now === undefined ? [] : [{ key: path, type: 'add', new: now }];
  if (now === undefined) return [{ key: path, type: 'delete', old }];
  const sealed = hashesOf(key, old, now);
  if (sealed === undefined && isFields(old) && isFields(now)) return changesWithin(path, old, now);
  return unchanged(key, old, now) ? [] : [{ key: path, type: 'change', old, new: now }];
}

function changesWithin(path: string, old: Fields, now: Fields): Change[] {
  return comparedKeys(old, now).flatMap((key) =>
    changesAt(`${path}.${shownKey(key)}`, key, getField(old, key), getField(now, key)),
  );
}

function unchanged(key: string, old: Value | undefined, now: Value | undefined): boolean {
  if (old === now) return true;
  if (old === undefined || now === undefined) return false;
  const hashes = hashesOf(key, old, now);
  if (hashes !== undefined) return hashes.old === hashes.now;
  if (old instanceof Date || now instanceof Date) {
    return old instanceof Date && now instanceof Date && old.getTime() === now.getTime();
  }
  if (Array.isArray(old)) {
    // An element's place is no name: the rules for names do not hold for it.
    return (
      Array.isArray(now) && old.length === now.length && old.every((each, place) => unchanged('', each, now[place]))
    );
  }
  if (!isFields(old) || !isFields(now)) return false;
  return comparedKeys(old, now).every((name) => unchanged(name, getField(old, name), getField(now, name)));
}

/** The hashes of two sealed values (wire-v1, "Secret-keeping"); undefined where one of them carries none. */
function hashesOf(key: string, old: Value, now: Value): { old: string; now: string } | undefined {
  if (!key.endsWith('-encrypted') || !isFields(old) || !isFields(now)) return undefined;
  const hashes = { old: getField(old, 'hash'), now: getField(now, 'hash') };
  if (typeof hashes.old !== 'string' || typeof hashes.now !== 'string') return undefined;
  return { old: hashes.old, now: hashes.now };
}

function comparedKeys(old: Fields, now: Fields): string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((key) => !key.endsWith('_at')).sort();
}

function shownKey(key: string): string {
  return key.replace(/[.\\]/g, '\\$&');
}
