import { lstat, open, realpath, stat } from 'node:fs/promises';
import { join, parse, sep } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { hasCode } from './has-code.ts';
import { listHostile } from './read-hostile.ts';

export interface Plugin {
  /** file name less extension */
  name: string;
  path: string;
}

/** An executable that was not taken, or a folder of them. */
export interface RefusedPlugin {
  /** its path */
  name: string;
  reason: string;
  /** what its result would be called, where it is refused for what it is and not for its name */
  plugin?: string;
}

export interface PluginFolder {
  path: string;
  /** Why a file of it is not to be run, whoever may write to it; undefined: nothing is against it. */
  distrust?(file: string): Promise<string | undefined>;
}

export interface FoundPlugins {
  plugins: Plugin[];
  refused: RefusedPlugin[];
}

const MOST_PLUGINS = 1000;
/** What a body may be called (wire/v2/messages.ts); U+FFFD stands for bytes that are no UTF-8, so such a file cannot be named. */
const NAME = /^[^\0\ufffd]{1,255}$/u;

/**
 * The plugins that may run: executable files of the folders, the first of each name. Hidden files and backups (`~`) are skipped,
 * and so is what neither may be executed nor begins as a script does.
 * Only what root (or the agent's own user, where it is not root) owns and nobody else may write to, the folder alike, and no link out of it.
 * @param taken names that are not free any more
 */
export async function findPlugins(
  folders: readonly PluginFolder[],
  uid: number,
  taken: ReadonlySet<string>,
): Promise<FoundPlugins> {
  const found: FoundPlugins = { plugins: [], refused: [] };
  const names = new Set(taken);
  for (const { path: folder, distrust: distrustFile } of folders) {
    const problem = await distrustFolder(folder, uid);
    if (problem !== undefined) {
      if (problem !== 'missing') found.refused.push({ name: folder, reason: problem });
      continue;
    }
    for (const file of await listHostile(folder, MOST_PLUGINS)) {
      if (file.startsWith('.') || file.endsWith('~')) continue;
      const { name } = parse(file);
      const path = join(folder, file);
      const judged = await judge(path, folder, uid);
      if (judged === 'not a plugin') continue;
      const verdict = judged ?? (await distrustFile?.(file));
      const unnamed = unfit(name);
      const reason = verdict ?? unnamed ?? duplicate(names, name);
      if (reason !== undefined) {
        const told = verdict !== undefined && unnamed === undefined;
        found.refused.push({ name: path, reason, ...(told ? { plugin: name } : {}) });
        continue;
      }
      names.add(name);
      found.plugins.push({ name, path });
    }
  }
  return found;
}

function unfit(name: string): string | undefined {
  // docs/protocol.md, "submit": a report with such a body is malformed, all of it.
  if (name === 'submitted_at') return "that name is the server's own";
  return NAME.test(name) ? undefined : 'its name cannot be reported';
}

function duplicate(names: ReadonlySet<string>, name: string): string | undefined {
  return names.has(name) ? `the name ${name} is taken` : undefined;
}

async function distrustFolder(folder: string, uid: number): Promise<string | undefined> {
  try {
    const facts = await lstat(folder);
    return facts.isDirectory() ? distrust(facts, uid) : 'it is no folder';
  } catch (error) {
    return hasCode(error, 'ENOENT', 'ENOTDIR') ? 'missing' : messageOf(error);
  }
}

async function judge(path: string, folder: string, uid: number): Promise<string | undefined> {
  try {
    const target = await realpath(path);
    if (!target.startsWith((await realpath(folder)) + sep)) return 'it is a link out of its folder';
    const facts = await stat(target);
    if (!facts.isFile()) return 'not a plugin';
    if ((facts.mode & 0o111) === 0) return (await isScript(target)) ? 'it is not executable' : 'not a plugin';
    return distrust(facts, uid);
  } catch (error) {
    return messageOf(error);
  }
}

/** Whoever wrote `#!` meant it to be run; a README beside the plugins is nothing to complain of. */
async function isScript(path: string): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.toString('latin1') === '#!';
  } finally {
    await handle.close();
  }
}

function distrust(facts: { uid: number; mode: number }, uid: number): string | undefined {
  if (facts.uid !== 0 && facts.uid !== uid) return `it belongs to user ${facts.uid}`;
  if ((facts.mode & 0o020) !== 0) return 'its group may write to it';
  if ((facts.mode & 0o002) !== 0) return 'everybody may write to it';
  return undefined;
}
