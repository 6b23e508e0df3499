import { join } from 'node:path';
import * as v from 'valibot';
import { parseJson } from '../../collectors/parse-json.ts';
import { makeFolder } from '../../places.ts';
import { readHostile } from '../../read-hostile.ts';
import { unlinkIfThere, writeAtomically } from '../../write-atomically.ts';
import type { LockFacts } from './read-lock-facts.ts';

const account = v.strictObject({
  name: v.string(),
  uid: v.number(),
  password: v.picklist(['usable', 'empty', 'locked']),
  changed: v.string(),
  expire: v.string(),
  /** a person's: expires as well */
  expires: v.boolean(),
});
export type LockedAccount = v.InferOutput<typeof account>;

/** What was before a lock; on disk before anything is changed. */
const record = v.strictObject({
  accounts: v.array(account),
  units: v.array(v.strictObject({ name: v.string(), active: v.boolean() })),
  lingering: v.array(v.string()),
  /** /etc/nologin is ours */
  nologin: v.boolean(),
});
export type LockRecord = v.InferOutput<typeof record>;

const LARGEST = 16 * 1024 * 1024;

export function recordIn(folder: string): string {
  return join(folder, 'locked.json');
}

/** @returns undefined where nothing is locked @throws where what was before cannot be told any more */
export async function readRecord(folder: string): Promise<LockRecord | undefined> {
  const bytes = await readHostile(recordIn(folder), LARGEST);
  if (bytes === undefined) return undefined;
  const read = v.safeParse(record, parseJson(bytes.toString('utf8')));
  if (!read.success) throw new Error(`cannot tell what was before the lock: ${recordIn(folder)} is damaged`);
  return read.output;
}

export async function writeRecord(folder: string, content: LockRecord): Promise<void> {
  await makeFolder(folder, 0o700);
  await writeAtomically(recordIn(folder), `${JSON.stringify(content)}\n`, 0o600);
}

export async function forgetRecord(folder: string): Promise<void> {
  await unlinkIfThere(recordIn(folder));
}

/** What an earlier lock wrote down counts: by now it would look like what we made of it. Only what has come since is added. */
export function joinRecord(before: LockRecord | undefined, facts: LockFacts): LockRecord {
  const persons = new Set(facts.people.persons.map(({ name }) => name));
  const known = <T extends { name: string }>(list: readonly T[] | undefined, name: string) =>
    list?.some((one) => one.name === name) === true;
  const accounts = facts.accounts.filter(({ name, password }) => persons.has(name) || password !== 'locked');
  return {
    accounts: [
      ...(before?.accounts ?? []),
      ...accounts
        .filter(({ name }) => !known(before?.accounts, name))
        .map((one) => ({ ...one, expires: persons.has(one.name) })),
    ],
    units: [...(before?.units ?? []), ...facts.units.filter(({ name }) => !known(before?.units, name))],
    lingering: [...new Set([...(before?.lingering ?? []), ...facts.lingering])],
    nologin: before?.nologin ?? !facts.nologin,
  };
}
