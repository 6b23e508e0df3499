import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import type { CommandResult } from '../collector.ts';
import { runCommand } from '../run-command.ts';

/** Where only packages put programs: not /usr/local, and nothing that a PATH says. */
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const ENVIRONMENT = { HOME: '/root', LANG: 'C', LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const LIMIT = seconds(60);
const MEBIBYTE = 1024 * 1024;
const OTHERS_WRITE = 0o022;

export interface ToolOptions {
  timeout?: Milliseconds;
  as?: { uid: number; gid: number };
}

/** Runs a program of the system's by its name. Never rejects: one that is missing, or that others could have written, is a `problem`. */
export type RunTool = (name: string, args: readonly string[], options?: ToolOptions) => Promise<CommandResult>;

/** @param signal ends what is under way */
export function systemTools(signal: AbortSignal): RunTool {
  return async (name, args, { timeout = LIMIT, as } = {}) => {
    const path = await find(name);
    if (path === undefined) return { code: null, problem: 'missing', stdout: '', stderr: `${name} is not installed` };
    const user = as === undefined ? {} : { as };
    return runCommand({ path, args, timeout, maxOutput: 4 * MEBIBYTE, env: ENVIRONMENT, signal, ...user });
  };
}

async function find(name: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      const { uid, mode } = await stat(await realpath(path));
      if (uid === 0 && (mode & OTHERS_WRITE) === 0) return path;
    } catch {
      // the next folder may have it
    }
  }
  return undefined;
}

/** Why it came to nothing, in a few words. */
export function whyFailed(name: string, { code, problem, stderr }: CommandResult): string {
  const said = stderr.trim().split('\n')[0]?.slice(0, 200) ?? '';
  if (problem === 'missing') return `${name} is not installed`;
  if (problem !== undefined) return `${name}: ${problem}`;
  return said === '' ? `${name} exited with ${code}` : said;
}
