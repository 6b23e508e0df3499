import { createHash } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  opendirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';

/** The inbox is written by who talks to the network: the applier, which may be root, believes nothing that lies there and follows nothing out of it. */
const ORDER_FILE = /^([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.json$/;
/** How many names are looked at, and how many orders taken in one run: what a flood costs. */
const MOST_NAMES = 200_000;
const MOST_ORDERS = 1_000;
export const TRUST = 'trust.json';
export const TOLD = 'told.json';

type Where = Pick<Places, 'inbox'>;

/** @returns ids of orders, oldest first, and whether something about keys lies there */
export function listInbox({ inbox }: Where): { ids: string[]; trust: boolean } {
  const found = { ids: [] as string[], trust: false };
  try {
    if (!lstatSync(inbox).isDirectory()) return found;
    const folder = opendirSync(inbox);
    try {
      for (let count = 0; count < MOST_NAMES && found.ids.length < MOST_ORDERS; count++) {
        const entry = folder.readSync();
        if (entry === null) break;
        const id = ORDER_FILE.exec(entry.name)?.[1];
        if (id !== undefined) found.ids.push(id);
        if (entry.name === TRUST) found.trust = true;
      }
    } finally {
      folder.closeSync();
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  found.ids.sort();
  return found;
}

/**
 * All of a file, by one descriptor. @returns undefined where there is none
 * @throws for whatever is no regular file with one name, or larger
 */
export function readInbox({ inbox }: Where, name: string, most: number): Buffer | undefined {
  const opened = openInbox(join(inbox, name));
  if (opened === undefined) return undefined;
  const { fd, size } = opened;
  try {
    if (size > most) throw new Error(`cannot read inbox/${name}: it holds more than ${most} bytes`);
    // One byte more: it may have grown since.
    const bytes = Buffer.alloc(size + 1);
    let got = 0;
    for (let more = 1; more > 0 && got < bytes.length; got += more) {
      more = readSync(fd, bytes, got, bytes.length - got, got);
    }
    if (got > size) throw new Error(`cannot read inbox/${name}: it is being written`);
    return bytes.subarray(0, got);
  } finally {
    closeSync(fd);
  }
}

export type Copied = 'copied' | 'missing' | 'altered';

/** Copies what one descriptor shows, and says whether the copy is what its digest and size say; it is synced then. */
export function copyInbox({ inbox }: Where, { sha256, size }: { sha256: string; size: number }, to: string): Copied {
  let opened: Opened | undefined;
  try {
    opened = openInbox(join(inbox, sha256));
  } catch {
    return 'altered';
  }
  if (opened === undefined) return 'missing';
  try {
    if (opened.size !== size) return 'altered';
    return copyExactly(opened.fd, { sha256, size }, to) ? 'copied' : 'altered';
  } finally {
    closeSync(opened.fd);
  }
}

/** Directories and what is gone stay as they are. */
export function removeFromInbox({ inbox }: Where, name: string): void {
  try {
    unlinkSync(join(inbox, name));
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EPERM', 'EACCES', 'EBUSY')) throw error;
  }
}

interface Opened {
  fd: number;
  size: number;
}

function openInbox(path: string): Opened | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
  const facts = fstatSync(fd);
  if (facts.isFile() && facts.nlink === 1) return { fd, size: facts.size };
  closeSync(fd);
  throw new Error(`cannot read ${path}: it is no regular file of its own`);
}

const PIECE = 1024 * 1024;

function copyExactly(from: number, { sha256, size }: { sha256: string; size: number }, path: string): boolean {
  const to = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    const digest = createHash('sha256');
    const piece = Buffer.alloc(PIECE);
    let done = 0;
    for (;;) {
      const got = readSync(from, piece, 0, Math.min(PIECE, size - done + 1), done);
      if (got === 0) break;
      done += got;
      if (done > size) return false;
      digest.update(piece.subarray(0, got));
      for (let put = 0; put < got; ) put += writeSync(to, piece, put, got - put);
    }
    fsyncSync(to);
    return done === size && digest.digest('hex') === sha256;
  } finally {
    closeSync(to);
  }
}
