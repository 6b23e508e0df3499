import { constants } from 'node:fs';
import { access, opendir, readdir, readlink, stat } from 'node:fs/promises';
import { networkInterfaces, release } from 'node:os';
import { join } from 'node:path';
import { minutes } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import { askWeb } from './ask-web.ts';
import type { FileFacts, HostAccess, RunOptions } from './collector.ts';
import { hasCode } from './has-code.ts';
import { readForeign } from './read-foreign.ts';
import { runCommand } from './run-command.ts';

const COMMAND_LIMIT = minutes(1);
const MEBIBYTE = 1024 * 1024;
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The environment that programs get: ours, never the caller's. */
export function programEnvironment(home: string): Record<string, string> {
  return { HOME: home, LANG: 'C', LC_ALL: 'C', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
}

export interface HostOptions {
  clock: Clock;
  /** effective user id */
  uid: number;
  home: string;
  /** ends what is under way */
  signal: AbortSignal;
}

/** This machine, as one collector sees it. */
export function hostAccess({ clock, uid, home, signal }: HostOptions): HostAccess {
  return {
    readText: async (path, options = {}) =>
      (await readForeign(path, options.max ?? MEBIBYTE, options))?.toString('utf8'),
    list: (path, { max } = {}) => orUndefined(async () => (await namesIn(path, max)).sort()),
    stat: (path) => orUndefined(() => factsOf(path)),
    readLink: (path) => orUndefined(() => readlink(path), 'EINVAL'),
    find,
    run: (path, args, options: RunOptions = {}) =>
      runCommand({
        path,
        args,
        timeout: options.timeout ?? COMMAND_LIMIT,
        maxOutput: options.maxOutput ?? MEBIBYTE,
        env: { ...programEnvironment(home), ...options.env },
        signal,
        ...(options.as === undefined ? {} : { as: options.as }),
      }),
    ask: (question) => askWeb(question, signal),
    networkInterfaces: () => networkInterfaces(),
    release: () => release(),
    isRoot: uid === 0,
    now: () => clock.now(),
  };
}

async function find(program: string): Promise<string | undefined> {
  for (const folder of SYSTEM_FOLDERS) {
    const path = join(folder, program);
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}

/** All at once is quicker; somebody else's folder may hold more than there is memory for. */
async function namesIn(path: string, max: number | undefined): Promise<string[]> {
  if (max === undefined) return readdir(path);
  const names: string[] = [];
  const folder = await opendir(path, { bufferSize: Math.min(max, 256) });
  for await (const { name } of folder) {
    if (names.push(name) >= max) break;
  }
  return names;
}

async function factsOf(path: string): Promise<FileFacts> {
  const facts = await stat(path);
  return {
    id: `${facts.dev}:${facts.ino}`,
    kind: facts.isFile() ? 'file' : facts.isDirectory() ? 'directory' : 'other',
    size: facts.size,
    mode: facts.mode & 0o7777,
    uid: facts.uid,
    modified: facts.mtime,
    changed: facts.ctime,
  };
}

async function orUndefined<T>(look: () => Promise<T>, ...alsoNothing: string[]): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', ...alsoNothing)) return undefined;
    throw error;
  }
}
