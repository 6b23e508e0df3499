import { constants } from 'node:fs';
import { open, readdir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';

/** Of a settings file, a certificate or a key. */
const LIMIT = 1024 * 1024;

/**
 * A small file of the original's folder.
 * @returns undefined where it is not there
 * @throws OperatorError where it leads out of the folder, is too large, no file, or may not be read
 */
export async function readInside(dir: string, name: string): Promise<string | undefined> {
  const file = join(dir, name);
  return (await refuseOutside(dir, file)) ? readSmall(file) : undefined;
}

/** Files and links of a folder inside the original's: none may lead out of it. @returns false where there is no such folder */
export async function checkFolderInside(dir: string, name: string): Promise<boolean> {
  const folder = join(dir, name);
  if (!(await refuseOutside(dir, folder))) return false;
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((cause: unknown) =>
    refuse(folder, messageOf(cause), cause),
  );
  for (const entry of entries) {
    if (entry.isSymbolicLink()) await refuseOutside(dir, join(entry.parentPath, entry.name));
  }
  return true;
}

/** @throws OperatorError where it is too large, no file, not there, or may not be read */
export async function readSmall(file: string): Promise<string> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) =>
    refuse(file, messageOf(cause), cause),
  );
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) refuse(file, 'it is no file');
    if (stats.size > LIMIT) refuse(file, `it has ${stats.size} bytes, and ${LIMIT} are allowed`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function refuseOutside(dir: string, path: string): Promise<boolean> {
  const target = await realpath(path).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    return refuse(path, messageOf(cause), cause);
  });
  if (target === undefined) return false;
  const way = relative(await realpath(dir), target);
  if (way.startsWith('..') || isAbsolute(way)) refuse(path, `it leads out of ${dir}, to ${target}`);
  return true;
}

function refuse(file: string, why: string, cause?: unknown): never {
  throw new OperatorError(`cannot use ${file}: ${why}; nothing was changed`, { exitCode: EXIT.notSetUp, cause });
}
