import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type PasswordHash, readPasswordHash } from '../crypto/password-hash.ts';
import { digestOfHash } from '../crypto/passwords.ts';
import { syncFolder } from './atomic-write.ts';

/**
 * Hashes that the server made of passwords whose hash in the accounts file is of the original's kind: it may not write to that file.
 * Each counts only while the hash that it is for, which its digest names, still stands there.
 * One JSON object a line, appended; `penguindome passwords upgrade` carries them over, and removes the file.
 */
export const PASSWORD_UPGRADES = 'password-upgrades';

const line = z.strictObject({
  /** digestOfHash of the hash that it replaces */
  replaces: z.string().regex(/^[0-9a-f]{64}$/),
  hash: z.string().refine((text) => readPasswordHash(text)?.kind === 'argon2id'),
});

/** digest of the old hash → the new one. JSON can hold it. */
export type PasswordUpgrades = Record<string, string>;

/** So many logins of a thousand accounts, and no more: what is beyond is not read. */
const MOST_BYTES = 1024 * 1024;

/** Lines that are none, such as one that a crash cut off, are left out. @throws OperatorError where the file cannot be read */
export async function readPasswordUpgrades(state: string): Promise<PasswordUpgrades> {
  const file = join(state, PASSWORD_UPGRADES);
  // O_NOFOLLOW: root reads it too, in a folder that is the server's
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(file, flags).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
  });
  if (handle === undefined) return {};
  try {
    if (!(await handle.stat()).isFile()) throw new OperatorError(`cannot read ${file}: it is no regular file`);
    const bytes = Buffer.alloc(MOST_BYTES);
    const { bytesRead } = await handle.read(bytes, 0, MOST_BYTES, 0);
    return parseUpgrades(bytes.toString('utf8', 0, bytesRead));
  } finally {
    await handle.close();
  }
}

function parseUpgrades(text: string): PasswordUpgrades {
  const lines = text.split('\n').flatMap((each) => parseLine(each) ?? []);
  return Object.fromEntries(lines.map(({ replaces, hash }) => [replaces, hash]));
}

function parseLine(text: string): z.output<typeof line> | undefined {
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** On disk when it resolves. @throws where it cannot be written, or the file is full */
export async function appendPasswordUpgrade(state: string, old: PasswordHash, hash: string): Promise<void> {
  const upgrade: z.input<typeof line> = { replaces: digestOfHash(old.text), hash };
  const file = join(state, PASSWORD_UPGRADES);
  const handle = await open(
    file,
    constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    const { size } = await handle.stat();
    const text = `${JSON.stringify(upgrade)}\n`;
    if (size + text.length > MOST_BYTES) {
      throw new Error(`${file} is full: run penguindome passwords upgrade`);
    }
    // One write: lines of several workers do not mix. A line that a crash cut off is closed, not continued.
    await handle.appendFile((await endsInLine(handle, size)) ? text : `\n${text}`);
    await handle.sync();
    if (size === 0) await syncFolder(dirname(file));
  } finally {
    await handle.close();
  }
}

async function endsInLine(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
