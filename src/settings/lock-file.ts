import { link, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import type { Random } from '../core/world.ts';

const PATIENCE = seconds(10);
const PAUSE: Milliseconds = 50;

/**
 * Works while holding a lock: a file with this process's id, made by `link`, so that it is there whole or not at all.
 * One left behind by a process that has died is taken over.
 * @param doing what cannot be done while somebody else holds it for long
 */
export async function withLock<T>(
  { random, signal }: { random: Random; signal: AbortSignal },
  lock: string,
  work: () => Promise<T>,
  doing = 'change the settings',
): Promise<T> {
  // named for its process, so that what one left behind that was killed can be told from one that is being made
  const own = `${lock}.${process.pid}.${random.uuid()}`;
  // flush: one that a power cut left empty names nobody, and would never be taken over
  await writeFile(own, `${process.pid}\n`, { flag: 'wx', mode: 0o644, flush: true });
  try {
    await acquire(own, lock, signal, doing);
  } finally {
    await unlink(own);
  }
  try {
    await removeLeftovers(lock);
    return await work();
  } finally {
    await unlink(lock);
  }
}

async function acquire(own: string, lock: string, signal: AbortSignal, doing: string): Promise<void> {
  for (let waited = 0; ; waited += PAUSE) {
    if (await tryLink(own, lock)) return;
    const holder = await readHolder(lock);
    if (holder !== undefined && !isAlive(holder)) await removeDead(own, lock, holder);
    else if (waited >= PATIENCE) {
      throw new OperatorError(`cannot ${doing}: process ${holder ?? '?'} is at it (${lock})`);
    } else await sleep(PAUSE, undefined, { signal });
  }
}

async function removeLeftovers(lock: string): Promise<void> {
  const prefix = `${basename(lock)}.`;
  for (const name of await readdir(dirname(lock))) {
    const pid = name.startsWith(prefix) ? /^(\d+)\./.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await succeeds(unlink(join(dirname(lock), name)));
  }
}

async function tryLink(own: string, lock: string): Promise<boolean> {
  try {
    await link(own, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the dead one's lock away, and looks at what was moved: between reading and moving somebody else may have taken it. */
async function removeDead(own: string, lock: string, dead: number): Promise<void> {
  const aside = `${own}.dead`;
  if (!(await succeeds(rename(lock, aside)))) return;
  if ((await readHolder(aside)) !== dead) await succeeds(link(aside, lock));
  await unlink(aside);
}

async function readHolder(lock: string): Promise<number | undefined> {
  const text = await readFile(lock, 'utf8').catch(() => '');
  return /^\d+\n$/.test(text) ? Number(text) : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

async function succeeds(attempt: Promise<unknown>): Promise<boolean> {
  return attempt.then(
    () => true,
    () => false,
  );
}
