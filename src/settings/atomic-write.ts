import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface FileOwner {
  uid: number;
  gid: number;
}

/**
 * Replaces a file as a whole: whoever reads it sees the old content or the new one, after a power cut too.
 * The new file has its mode from the first moment on.
 */
export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
  { mode, owner }: { mode: number; owner?: FileOwner },
): Promise<void> {
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file)}.${randomUUID()}.tmp`);
  const handle = await open(temporary, 'wx', mode & 0o600);
  try {
    await fill(handle, content, mode, owner);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(folder);
}

/** A rename is on disk only when its folder is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function fill(handle: FileHandle, content: string | Uint8Array, mode: number, owner?: FileOwner): Promise<void> {
  try {
    await handle.writeFile(content);
    if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
    // after the change of owner, which drops bits; and past the umask
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
