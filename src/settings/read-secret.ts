import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';

const KEY_LIMIT = 64 * 1024;

/**
 * A secret out of $CREDENTIALS_DIRECTORY, where it is there, else out of the file.
 * @param advice what to do where the file is missing
 * @returns undefined where there is neither folder nor file to look at
 * @throws OperatorError where the file is missing, or others may read it
 */
export async function readCredential(
  name: string,
  credentials: string | undefined,
  file: string | undefined,
  advice = 'run penguindome setup',
): Promise<{ file: string; text: string } | undefined> {
  if (credentials !== undefined) {
    const path = join(credentials, name);
    // systemd keeps that folder from everybody else: its files' own modes do not matter
    const text = await readSecretFile(path, { checkMode: false, missing: undefined });
    if (text !== undefined) return { file: path, text };
  }
  if (file === undefined) return undefined;
  const missing = `cannot read ${file}: it does not exist; ${advice}`;
  const text = await readSecretFile(file, { checkMode: true, missing });
  return text === undefined ? undefined : { file, text };
}

/** Mode and content of one and the same open file: it cannot be swapped between the check and the reading. */
async function readSecretFile(
  file: string,
  { checkMode, missing }: { checkMode: boolean; missing: string | undefined },
): Promise<string | undefined> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
      throw new OperatorError(`cannot read ${file}: ${messageOf(cause)}`, { exitCode: 3, cause });
    }
    if (missing !== undefined) throw new OperatorError(missing, { exitCode: 3, cause });
    return undefined;
  });
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size > KEY_LIMIT) {
      throw new OperatorError(`cannot use ${file}: it is no small regular file`, { exitCode: 3 });
    }
    if (checkMode && (stats.mode & 0o077) !== 0) {
      const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
      throw new OperatorError(`cannot use ${file}: others may read it (mode ${mode}); run chmod 600 ${file}`, {
        exitCode: 3,
      });
    }
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
