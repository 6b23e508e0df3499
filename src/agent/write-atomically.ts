import { constants } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode } from './has-code.ts';

/** Files under this prefix are unfinished: whoever holds the folder's lock may remove them. */
export const TEMPORARY = '.tmp-';

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * After this the file holds all of `data`, on disk, or is as it was: never a part, whenever power or process end.
 * One writer at a time for one path (the folder's lock sees to it).
 */
export async function writeAtomically(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await writeAllAtomically(dirname(path), [{ name: basename(path), data }], mode);
}

/** Many files of one folder, each as writeAtomically does it; the folder itself is synced once. */
export async function writeAllAtomically(
  folder: string,
  files: readonly { name: string; data: string | Uint8Array }[],
  mode: number,
): Promise<void> {
  for (const { name, data } of files) {
    const temporary = join(folder, TEMPORARY + name);
    try {
      await writeSynced(temporary, data, mode);
      await rename(temporary, join(folder, name));
    } catch (cause) {
      await unlinkIfThere(temporary);
      throw new Error(`cannot write ${join(folder, name)}: ${why(cause)}`, { cause });
    }
  }
  if (files.length > 0) await syncFolder(folder);
}

export async function unlinkIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Makes renames and removals in the folder last. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeSynced(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  await unlinkIfThere(path);
  const handle = await open(path, FRESH, mode);
  try {
    // The umask may have taken bits away that another of our users needs.
    await handle.chmod(mode);
    await giveToOwnerOf(dirname(path), handle);
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What root writes into a folder of the submitter's (`enroll`) must stay the submitter's to read. */
async function giveToOwnerOf(folder: string, handle: FileHandle): Promise<void> {
  const [owner, file] = await Promise.all([stat(folder), handle.stat()]);
  if (file.uid === 0 && owner.uid !== 0) await handle.chown(owner.uid, owner.gid);
  else if (file.uid === 0 && owner.gid !== file.gid) await handle.chown(file.uid, owner.gid);
}

function why(error: unknown): string {
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) return 'the disk is full';
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return 'permission denied';
  if (hasCode(error, 'EROFS')) return 'the file system is read-only';
  return error instanceof Error ? error.message : String(error);
}
