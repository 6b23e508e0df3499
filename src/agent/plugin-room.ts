import { chmod, cp, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasCode } from './has-code.ts';

/** The folders that are one plugin's own. */
export interface PluginRoom {
  /** what it keeps there is its own business */
  state: string;
  /** what `plugin-tool cache` keeps for it */
  cache: string;
  /** to be called when the plugin has ended */
  leave(): Promise<void>;
}

/**
 * Opens the room of a plugin, with its owner's rights alone. Who only looks (`collect --show`) gets a copy, which is thrown away:
 * a plugin then says what it would say, and nothing is kept.
 * @param folder holds the rooms of all plugins
 * @throws where they cannot be made
 */
export async function openRoom(folder: string, plugin: string, keeps: boolean): Promise<PluginRoom> {
  const room = join(folder, plugin);
  if (keeps) {
    for (const path of [folder, room]) await makePrivate(path);
    return furnish(room, async () => undefined);
  }
  const scratch = await mkdtemp(join(tmpdir(), 'penguindome-look-'));
  const leave = () => rm(scratch, { recursive: true, force: true });
  try {
    await copyInto(scratch, room);
    return await furnish(scratch, leave);
  } catch (error) {
    await leave();
    throw error;
  }
}

async function furnish(room: string, leave: PluginRoom['leave']): Promise<PluginRoom> {
  const [state, cache] = [join(room, 'state'), join(room, 'cache')];
  for (const path of [state, cache]) await makePrivate(path);
  return { state, cache, leave };
}

/** Also where something else stands there, or others may look in: nobody but us had the right to make it so. */
async function makePrivate(path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!hasCode(error, 'EEXIST')) throw error;
  });
  const facts = await lstat(path);
  if (!facts.isDirectory()) throw new Error(`cannot use ${path}: it is no folder`);
  if ((facts.mode & 0o777) !== 0o700) await chmod(path, 0o700);
}

/** Whoever may not see the room looks at an empty one. Sockets and FIFOs stay behind. */
async function copyInto(scratch: string, room: string): Promise<void> {
  try {
    await cp(room, scratch, {
      recursive: true,
      verbatimSymlinks: true,
      filter: async (path) => {
        const facts = await lstat(path);
        return facts.isFile() || facts.isDirectory() || facts.isSymbolicLink();
      },
    });
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'EACCES')) throw error;
  }
}
