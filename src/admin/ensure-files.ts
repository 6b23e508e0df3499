import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';
import { type FileOwner, syncFolder, writeAtomically } from '../settings/atomic-write.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { tlsFolder } from '../settings/tls-folder.ts';
import { EXIT } from './exit-codes.ts';

/** What a step of setup found or did. */
export interface Step {
  what: string;
  path: string;
  outcome: 'made' | 'there';
}

/** Makes the folder where it is missing; one that is there keeps its mode and owner. */
export async function ensureFolder(path: string, mode: number, owner?: FileOwner): Promise<void> {
  if (await exists(path)) return;
  try {
    await mkdir(dirname(path), { recursive: true });
    await mkdir(path, { mode });
    // Not by its name: whoever owns the folder around it may have put a link there meanwhile.
    const made = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      if (owner !== undefined) await made.chown(owner.uid, owner.gid);
      // past the umask
      await made.chmod(mode);
    } finally {
      await made.close();
    }
    await syncFolder(dirname(path));
  } catch (cause) {
    throw new OperatorError(`cannot make the folder ${path}: ${messageOf(cause)}; run as root, or use --dir`, {
      cause,
    });
  }
}

/**
 * Where root writes what the server's user may change in turn, so that this may not lead elsewhere.
 * @returns its path
 */
export async function ensureTlsFolder(settings: Pick<ServerSettings, 'state'>, owner?: FileOwner): Promise<string> {
  const folder = tlsFolder(settings);
  await ensureFolder(folder, 0o700, owner);
  if ((await lstat(folder)).isDirectory()) return folder;
  throw new OperatorError(`cannot use ${folder}: expected a folder, found something else; remove it`);
}

export async function exists(path: string): Promise<boolean> {
  return (await statIfThere(path)) !== undefined;
}

/** @returns undefined where there is nothing */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new OperatorError(`cannot look at ${path}: ${messageOf(error)}`, { cause: error });
  });
}

/** @returns undefined where there is no such file */
export async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw new OperatorError(`cannot read ${path}: ${messageOf(error)}`, { exitCode: EXIT.notSetUp, cause: error });
  });
}

export async function writeNew(path: string, content: string, mode: number, owner?: FileOwner): Promise<void> {
  try {
    await writeAtomically(path, content, owner === undefined ? { mode } : { mode, owner });
  } catch (cause) {
    throw new OperatorError(`cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** What a run that was killed had not yet given its name: half a file, that may hold half a secret. */
export async function removeUnfinished(folder: string): Promise<void> {
  const names = await readdir(folder);
  const unfinished = names.filter((name) => /^\..+\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/.test(name));
  for (const name of unfinished) await unlink(join(folder, name));
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
