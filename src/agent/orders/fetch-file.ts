import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { filesAnswer, LARGEST_FILES_ANSWER, LARGEST_PIECE } from '../../wire/v2/order-messages.ts';
import { FILES } from '../../wire/v2/paths.ts';
import { exchange, problemIn, type Speaker } from '../exchange.ts';
import type { Places } from '../places.ts';
import { RequestProblem } from '../problem.ts';
import { syncFolder, unlinkIfThere } from '../write-atomically.ts';

interface Wanted {
  sha256: string;
  size: number;
}

/**
 * Fetches a file of an order into the inbox, from where an earlier attempt was cut off. Only when size and digest are right does the part become
 * the file. @returns `gone` where the server has no such file for this host any more
 */
export async function fetchFile(
  { inbox }: Pick<Places, 'inbox'>,
  speaker: Speaker,
  order: string,
  wanted: Wanted,
): Promise<'here' | 'gone'> {
  const path = join(inbox, wanted.sha256);
  const isThere = await lstat(path).then(
    (facts) => facts.isFile() && facts.size === wanted.size,
    () => false,
  );
  if (isThere) return 'here';
  const part = `${path}.part`;
  const handle = await open(
    part,
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    0o600,
  );
  try {
    if (!(await fill({ handle, inbox }, speaker, order, wanted))) {
      await unlinkIfThere(part);
      return 'gone';
    }
    await handle.sync();
    if ((await digestOf(handle, wanted.size)) !== wanted.sha256) {
      await unlinkIfThere(part);
      throw new RequestProblem('refused', `cannot use a file of order ${order}: what came is not what its digest says`);
    }
  } finally {
    await handle.close();
  }
  await rename(part, path);
  await syncFolder(inbox);
  return 'here';
}

async function fill(
  { handle, inbox }: { handle: FileHandle; inbox: string },
  speaker: Speaker,
  order: string,
  { sha256, size }: Wanted,
): Promise<boolean> {
  let offset = (await handle.stat()).size;
  if (offset > size) {
    await handle.truncate(0);
    offset = 0;
  }
  while (offset < size) {
    await needRoom(inbox, order, size - offset);
    const answer = await exchange(speaker, FILES, { order, sha256, offset }, LARGEST_FILES_ANSWER);
    if (answer.outcome === 'refused') {
      if (answer.status === 404) return false;
      throw problemIn(answer, speaker.clock);
    }
    const parsed = v.safeParse(filesAnswer, answer.content);
    const piece = parsed.success ? Buffer.from(parsed.output.content, 'base64') : Buffer.alloc(0);
    const fits =
      parsed.success &&
      parsed.output.sha256 === sha256 &&
      parsed.output.size === size &&
      parsed.output.offset === offset &&
      piece.length > 0 &&
      piece.length <= Math.min(LARGEST_PIECE, size - offset);
    if (!fits) throw new RequestProblem('refused', "cannot understand the server's answer about a file of an order");
    for (let done = 0; done < piece.length; ) {
      done += (await handle.write(piece, done, piece.length - done, offset + done)).bytesWritten;
    }
    offset += piece.length;
  }
  return true;
}

/** The last of a disk is for reports and for what this agent must not forget. */
const RESERVE = 8 * 1024 * 1024;

async function needRoom(inbox: string, order: string, wanted: number): Promise<void> {
  const { bavail, bsize } = await statfs(inbox);
  if (bavail * bsize >= wanted + RESERVE) return;
  throw new RequestProblem(
    'orders',
    `cannot fetch a file of order ${order}: only ${bavail * bsize} bytes are free in ${inbox}`,
  );
}

async function digestOf(handle: FileHandle, size: number): Promise<string> {
  const digest = createHash('sha256');
  const piece = Buffer.alloc(LARGEST_PIECE);
  for (let offset = 0; offset < size; ) {
    const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
    if (bytesRead === 0) break;
    digest.update(piece.subarray(0, bytesRead));
    offset += bytesRead;
  }
  return digest.digest('hex');
}
