import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type Manifest, MOST_FILES_OF_ORDER, ORDER_PATH } from '../wire/v2/order.ts';
import { EXIT } from './exit-codes.ts';
import { checkOrderFiles, type OrderFile, readOrderFile } from './order-files.ts';

const PARTS = ['plugins', 'settings', 'commands'];

/** All that a release folder holds. @throws OperatorError for anything that hosts would not get: nobody is to think that they do */
export async function readReleaseFolder(folder: string): Promise<OrderFile[]> {
  const parts = await namesIn(folder);
  const stranger = parts.find((name) => !PARTS.includes(name));
  if (stranger !== undefined)
    throw refuse(join(folder, stranger), `a release holds ${PARTS.join(', ')} and nothing else`);
  const paths: string[] = [];
  for (const part of parts) {
    await mustBe(join(folder, part), 'folder');
    for (const name of await namesIn(join(folder, part))) paths.push(`${part}/${name}`);
  }
  if (paths.length > MOST_FILES_OF_ORDER) throw refuse(folder, `it holds more than ${MOST_FILES_OF_ORDER} files`);
  const files: OrderFile[] = [];
  for (const path of paths) {
    const local = join(folder, path);
    if (!ORDER_PATH.test(path)) {
      throw refuse(local, 'expected a name of letters, digits, _, . and -, which begins with a letter or digit');
    }
    await mustBe(local, 'file');
    files.push(await readOrderFile(local, path));
  }
  await checkOrderFiles(files);
  return files;
}

/** Hidden files (.gitignore, an editor's) are left out. */
async function namesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw refuse(folder, messageOf(cause));
  });
  return names.filter((name) => !name.startsWith('.')).sort();
}

/** A link would bring what lies elsewhere. */
async function mustBe(path: string, what: 'file' | 'folder'): Promise<void> {
  const stats = await lstat(path);
  if (what === 'file' ? !stats.isFile() : !stats.isDirectory()) throw refuse(path, `it is no ${what}`);
}

function refuse(what: string, why: string): OperatorError {
  return new OperatorError(`cannot use ${what}: ${why}`, { exitCode: EXIT.usage });
}

export interface ReleaseDifference {
  added: string[];
  changed: string[];
  removed: string[];
}

type Listed = Pick<Manifest['files'][number], 'path' | 'mode' | 'sha256'>;

/** By path: what hosts that have the first get with the second. */
export function compareReleases(before: readonly Listed[], after: readonly Listed[]): ReleaseDifference {
  const old = new Map(before.map((file) => [file.path, file]));
  const now = new Set(after.map(({ path }) => path));
  return {
    added: after.filter(({ path }) => !old.has(path)).map(({ path }) => path),
    changed: after
      .filter(({ path, mode, sha256 }) => {
        const was = old.get(path);
        return was !== undefined && (was.mode !== mode || was.sha256 !== sha256);
      })
      .map(({ path }) => path),
    removed: before.map(({ path }) => path).filter((path) => !now.has(path)),
  };
}
