import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { LARGEST_V1_RELEASE } from '../../settings/v1-releases.ts';
import { isClientPath } from '../../wire/v1/client-path.ts';
import { EXIT } from '../exit-codes.ts';
import type { ClientFile } from './make-patch.ts';

const PARTS = ['client', 'penguindome'];
const MOST_FILES = 2_000;
/** What editors, Python and GnuPG leave behind: nobody means to send that to hosts. */
const LEFT_BEHIND = /^(?:__pycache__|\.git.*|.*\.py[co]|.*~|.*\.swp|#.*#|\.#.*|S\..*|.*\.lock|random_seed)$/;
/** Made anew for each release. */
export const RELEASE_NUMBER = 'client/release.txt';

/**
 * What a folder laid out as the original's holds for clients: `client/` and `penguindome/`.
 * @throws OperatorError for what cannot be signed and sent: links, and other things that are no files
 */
export async function readReleaseFolder(dir: string, signal: AbortSignal): Promise<ClientFile[]> {
  for (const part of PARTS) await refuseLink(join(dir, part));
  const paths = (await Promise.all(PARTS.map((part) => pathsBelow(dir, part)))).flat();
  if (paths.length > MOST_FILES) refuse(dir, `it has ${paths.length} files, and ${MOST_FILES} go into a release`);
  const files: ClientFile[] = [];
  let size = 0;
  for (const path of paths.sort()) {
    signal.throwIfAborted();
    const file = await readOne(dir, path, LARGEST_V1_RELEASE - size);
    size += file.content.length;
    files.push(file);
  }
  return files;
}

async function refuseLink(folder: string): Promise<void> {
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isSymbolicLink() === true) refuse(folder, LINK);
}

const LINK = 'it is a link, which no signature covers; put the file itself there';

async function pathsBelow(dir: string, part: string): Promise<string[]> {
  const entries = await readdir(join(dir, part), { withFileTypes: true }).catch((cause: unknown) =>
    refuse(join(dir, part), `${messageOf(cause)}; expected a folder laid out as the original's`, cause),
  );
  const paths: string[] = [];
  for (const entry of entries) {
    const path = `${part}/${entry.name}`;
    if (LEFT_BEHIND.test(entry.name) || path === RELEASE_NUMBER) continue;
    if (entry.isDirectory()) paths.push(...(await pathsBelow(dir, path)));
    else if (entry.isSymbolicLink()) refuse(join(dir, path), LINK);
    else if (!entry.isFile()) refuse(join(dir, path), 'it is no file');
    else if (isClientPath(path)) paths.push(path);
    else refuse(join(dir, path), 'its name is too long, or has characters that show as nothing');
  }
  return paths;
}

async function readOne(dir: string, path: string, room: number): Promise<ClientFile> {
  const file = join(dir, path);
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: unknown) => refuse(file, messageOf(cause), cause),
  );
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) refuse(file, 'it is no file');
    if (stats.size > room) refuse(dir, `it holds more than ${LARGEST_V1_RELEASE} bytes`);
    return { path, mode: (stats.mode & 0o777) | 0o400, content: await handle.readFile() };
  } finally {
    await handle.close();
  }
}

function refuse(what: string, why: string, cause?: unknown): never {
  throw new OperatorError(`cannot make a release of ${what}: ${why}`, { exitCode: EXIT.usage, cause });
}
