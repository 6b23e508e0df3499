import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { hasCode } from './has-code.ts';

/**
 * Reads a file that somebody with fewer rights may have put there: no symbolic link is followed, a FIFO or device does not hang,
 * nothing but a regular file is read, and never more than `max` bytes of it.
 * @returns undefined where there is none
 * @throws for anything that is not such a file
 */
export async function readHostile(path: string, max: number): Promise<Buffer | undefined> {
  return read(path, max, constants.O_NOFOLLOW);
}

/** The same, for a path of the agent's own whose links are the administrator's. */
export async function readFollowing(path: string, max: number): Promise<Buffer | undefined> {
  return read(path, max, 0);
}

/** Our own small files, on a disk of this machine, are read faster than a thread is told to. */
function read(path: string, max: number, flags: number): Buffer | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    if (hasCode(cause, 'ELOOP')) throw new Error(`cannot read ${path}: it is a symbolic link`, { cause });
    if (hasCode(cause, 'ENXIO')) throw new Error(`cannot read ${path}: it is no regular file`, { cause });
    throw cause;
  }
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`cannot read ${path}: it is no regular file`);
    const bytes = readUpTo(fd, max);
    if (bytes === undefined) throw new Error(`cannot read ${path}: it holds more than ${max} bytes`);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

/**
 * Names in a folder that others may write to, sorted; at most `max`, so that a flood of files costs no more than that.
 * @returns none where there is no such folder, or something else stands there
 */
export async function listHostile(folder: string, max: number): Promise<string[]> {
  const names: string[] = [];
  try {
    if (!lstatSync(folder).isDirectory()) return names;
    const opened = opendirSync(folder);
    try {
      for (let entry = opened.readSync(); entry !== null && names.length < max; entry = opened.readSync()) {
        names.push(entry.name);
      }
    } finally {
      opened.closeSync();
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  return names.sort();
}

/** Reads by pieces: the size that fstat says is 0 under /proc, and may change while we read. */
function readUpTo(fd: number, max: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  let total = 0;
  for (;;) {
    const piece = Buffer.allocUnsafe(Math.min(64 * 1024, max + 1 - total));
    const bytesRead = readSync(fd, piece, 0, piece.length, null);
    if (bytesRead === 0) return Buffer.concat(pieces);
    total += bytesRead;
    if (total > max) return undefined;
    pieces.push(piece.subarray(0, bytesRead));
  }
}
