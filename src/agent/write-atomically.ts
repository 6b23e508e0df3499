import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasCode } from './has-code.ts';

/** Files under this prefix are unfinished: whoever holds the folder's lock may remove them. */
export const TEMPORARY = '.tmp-';

const FRESH = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * After this the file holds all of `data`, on disk, or is as it was: never a part, whenever power or process end.
 * One writer at a time for one path (the folder's lock sees to it).
 * Waits for each call: a run has nothing else to do meanwhile, and Node's threads would take four times the CPU time.
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
      writeSynced(temporary, data, mode);
      renameSync(temporary, join(folder, name));
    } catch (cause) {
      removeIfThere(temporary);
      throw new Error(`cannot write ${join(folder, name)}: ${why(cause)}`, { cause });
    }
  }
  if (files.length > 0) syncFolderNow(folder);
}

export async function unlinkIfThere(path: string): Promise<void> {
  removeIfThere(path);
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** Makes renames and removals in the folder last. */
export async function syncFolder(folder: string): Promise<void> {
  syncFolderNow(folder);
}

function syncFolderNow(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeSynced(path: string, data: string | Uint8Array, mode: number): void {
  removeIfThere(path);
  const fd = openSync(path, FRESH, mode);
  try {
    // The umask may have taken bits away that another of our users needs.
    fchmodSync(fd, mode);
    giveToOwnerOf(dirname(path), fd);
    writeFileSync(fd, data);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** What root writes into a folder of the submitter's (`enroll`) must stay the submitter's to read. */
export function giveToOwnerOf(folder: string, fd: number): void {
  const [owner, file] = [statSync(folder), fstatSync(fd)];
  if (file.uid === 0 && owner.uid !== 0) fchownSync(fd, owner.uid, owner.gid);
  else if (file.uid === 0 && owner.gid !== file.gid) fchownSync(fd, file.uid, owner.gid);
}

function why(error: unknown): string {
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) return 'the disk is full';
  if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return 'permission denied';
  if (hasCode(error, 'EROFS')) return 'the file system is read-only';
  return error instanceof Error ? error.message : String(error);
}
