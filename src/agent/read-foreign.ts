import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hasCode } from './has-code.ts';

/**
 * Reads a file that may lie on any file system, a hanging one too, and so on another thread: the time limit of whoever asks still holds.
 * Links are followed, a FIFO or device does not hang, nothing but a regular file is read, and never more than `max` bytes of it.
 * @param head what lies past `max` is left unread, instead of refusing the file
 * @returns undefined where there is none
 * @throws for anything that is not such a file
 */
export async function readForeign(path: string, max: number, head = false): Promise<Buffer | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    if (hasCode(cause, 'ENXIO')) throw new Error(`cannot read ${path}: it is no regular file`, { cause });
    throw cause;
  }
  try {
    if (!(await handle.stat()).isFile()) throw new Error(`cannot read ${path}: it is no regular file`);
    const bytes = await readUpTo(handle, max, head);
    if (bytes === undefined) throw new Error(`cannot read ${path}: it holds more than ${max} bytes`);
    return bytes;
  } finally {
    await handle.close();
  }
}

/** Reads by pieces: the size that fstat says is 0 under /proc, and may change while we read. */
async function readUpTo(handle: FileHandle, max: number, head: boolean): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  let total = 0;
  while (!head || total < max) {
    const piece = Buffer.allocUnsafe(Math.min(64 * 1024, max + (head ? 0 : 1) - total));
    const { bytesRead } = await handle.read(piece, 0, piece.length);
    if (bytesRead === 0) return Buffer.concat(pieces);
    total += bytesRead;
    if (total > max) return undefined;
    pieces.push(piece.subarray(0, bytesRead));
  }
  return Buffer.concat(pieces);
}
