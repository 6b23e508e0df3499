import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdLock } from './hold-lock.ts';

/** What takes long to make and is only read: made by the test file that asks first, for all files of a run; the runner's folder goes with it. */
export async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const { folder, fresh, lock } = await placesOf(name);
  return holdLock(lock, async () => {
    if (await isThere(folder)) return folder;
    await rm(fresh, { recursive: true, force: true });
    await mkdir(fresh);
    await make(fresh);
    // Only what is complete gets its name.
    await rename(fresh, folder);
    return folder;
  });
}

/** In the folder in which `madeOnce` made it, under the name that it had until then; what is there goes afterwards. */
export async function inItsPlace<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const { fresh, lock } = await placesOf(name);
  return holdLock(lock, async () => {
    await mkdir(fresh);
    try {
      return await work(fresh);
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

async function placesOf(name: string) {
  const base = process.env['PENGUINDOME_TEST_SCRATCH'] ?? join(tmpdir(), `penguindome-made-${process.pid}`);
  await mkdir(base, { recursive: true });
  const folder = join(base, name);
  return { folder, fresh: `${folder}.part`, lock: `${folder}.lock` };
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
