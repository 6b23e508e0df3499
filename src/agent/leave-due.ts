import { rename, utimes } from 'node:fs/promises';
import type { Milliseconds } from '../core/duration.ts';
import type { Places } from './places.ts';
import { readFollowing } from './read-hostile.ts';
import { unlinkIfThere, writeAtomically } from './write-atomically.ts';

/** What is to be done next, and in how long; 0: at once. */
export interface Due {
  collect: Milliseconds;
  submit: Milliseconds;
}

const BOOT = '/proc/sys/kernel/random/boot_id';
/** Seconds since the boot, suspend included: a clock that is set does not change them. */
const UPTIME = '/proc/uptime';

/**
 * Leaves for penguindome-tick (packaging/) when it is to start the agent again, in seconds since the boot. It starts it anyway once a file
 * of the settings is newer than this one, which therefore bears the time when they were read.
 */
export async function leaveDue(places: Pick<Places, 'due'>, due: Due, settingsRead: Date): Promise<void> {
  const fresh = `${places.due}.new`;
  try {
    const boot = await firstWord(BOOT);
    const now = Number.parseFloat(await firstWord(UPTIME));
    const at = (left: Milliseconds) => Math.ceil(now + left / 1000);
    await writeAtomically(fresh, `${boot} ${Math.floor(now)} ${at(due.collect)} ${at(due.submit)}\n`, 0o644);
    // File systems count more coarsely than clocks: one second is on the safe side.
    const before = Math.floor(settingsRead.getTime() / 1000) - 1;
    await utimes(fresh, before, before);
    await rename(fresh, places.due);
  } catch {
    // No such files, another user's folder, a full disk: then each tick starts the agent.
    await forgetDue(places).catch(() => undefined);
  }
}

export async function forgetDue({ due }: Pick<Places, 'due'>): Promise<void> {
  await unlinkIfThere(due);
}

async function firstWord(path: string): Promise<string> {
  const word = /^\S+/.exec((await readFollowing(path, 1024))?.toString('utf8') ?? '')?.[0];
  if (word === undefined) throw new Error(`cannot read ${path}: it is empty`);
  return word;
}
