import { constants } from 'node:fs';
import { open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { decodeToken, type TokenContent } from '../wire/v2/token.ts';
import { EXIT } from './exit-codes.ts';
import { hasCode } from './has-code.ts';
import { readFollowing } from './read-hostile.ts';
import { syncFolder } from './write-atomically.ts';

export const LARGEST_TOKEN = 64 * 1024;

export async function readTokenFile(path: string): Promise<TokenContent> {
  const bytes = await readFollowing(path, LARGEST_TOKEN);
  if (bytes === undefined) {
    throw new OperatorError(`cannot read the token: there is no file ${path}`, { exitCode: EXIT.usage });
  }
  return tokenIn(bytes.toString('utf8'));
}

export function tokenIn(text: string): TokenContent {
  const token = decodeToken(text);
  if (token !== undefined) return token;
  throw new OperatorError(
    'cannot read the token: expected one line that starts with penguindome1:, whole, as penguindome enrollment token prints it',
    { exitCode: EXIT.usage },
  );
}

/** Overwrites and removes a token's file. @returns why that could not be done */
export async function destroyTokenFile(path: string): Promise<string | undefined> {
  try {
    const handle = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      const { size } = await handle.stat();
      await handle.write(Buffer.alloc(size, '\n'), 0, size, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await unlink(path);
    await syncFolder(dirname(path));
    return undefined;
  } catch (error) {
    return hasCode(error, 'ENOENT') ? undefined : messageOf(error);
  }
}
