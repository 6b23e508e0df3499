import { constants } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import { hasCode } from './has-code.ts';

export interface ForeignOptions {
  /** what lies past `max` is left unread, instead of refusing the file */
  head?: boolean | undefined;
  /**
   * User id of whoever chose the path, or can put a link there: they get nothing opened that they could not open themselves. The file has to
   * be theirs, or root's for all to read, on a file system that keeps files.
   */
  of?: number | undefined;
}

/** open(2), O_PATH: finds the file without opening it. No device notices, and no FIFO; Node has no name for it. */
const O_PATH = 0o10000000;
const OTHERS_READ = 0o004;

/** statfs(2) of file systems whose files are the kernel's own, where opening or reading is a deed: /proc/kmsg, trace_pipe, the registers of a device. */
const MADE_UP = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0x62656570, // configfs
  0x6165676c, // pstore
  0xde5e81e4, // efivarfs
  0xcafe4a11, // bpf
  0xf97cff8c, // selinuxfs
  0x43415d53, // smackfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x7655821, // resctrl
  0x65735543, // fusectl
  0x42494e4d, // binfmt_misc
  0x67596969, // rpc_pipefs
  0x6e667364, // nfsd
  0x19800202, // mqueue
]);

/**
 * Reads a file that may lie on any file system, a hanging one too, and so on another thread: the time limit of whoever asks still holds.
 * Links are followed; what is no regular file is not even opened, since opening a device can be a deed (/dev/watchdog); never more than
 * `max` bytes are read.
 * @returns undefined where there is none
 * @throws for anything that is not such a file
 */
export async function readForeign(
  path: string,
  max: number,
  { head = false, of }: ForeignOptions = {},
): Promise<Buffer | undefined> {
  const found = await find(path);
  if (found === undefined) return undefined;
  try {
    const { isFile, uid, mode } = await factsOf(found);
    if (!isFile) throw new Error(`cannot read ${path}: it is no regular file`);
    // Another name of what was found, whatever the path leads to by now.
    const same = `/proc/self/fd/${found.fd}`;
    if (of !== undefined) {
      if (uid !== of && (uid !== 0 || (mode & OTHERS_READ) === 0)) {
        throw new Error(`cannot read ${path}: it is neither the user's, nor root's for all to read`);
      }
      if (MADE_UP.has((await statfs(same)).type)) throw new Error(`cannot read ${path}: it is no file on a disk`);
    }
    const handle = await reopen(same, path);
    try {
      const bytes = await readUpTo(handle, max, head);
      if (bytes === undefined) throw new Error(`cannot read ${path}: it holds more than ${max} bytes`);
      return bytes;
    } finally {
      await handle.close();
    }
  } finally {
    await found.close();
  }
}

async function find(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | O_PATH);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT', 'ENOTDIR')) return undefined;
    throw cause;
  }
}

/** @throws with the path that was asked for: the other one's number is another one each time */
async function reopen(same: string, path: string): Promise<FileHandle> {
  try {
    return await open(same, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new Error(`cannot read ${path}: ${messageOf(cause).replace(/, open .*$/s, '')}`, { cause });
  }
}

async function factsOf(found: FileHandle): Promise<{ isFile: boolean; uid: number; mode: number }> {
  const facts = await found.stat();
  return { isFile: facts.isFile(), uid: facts.uid, mode: facts.mode };
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
