import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { KeyFile } from '../store/backup/format.ts';
import { addIdentities } from './add-identities.ts';
import { exists, readIfThere, writeNew } from './ensure-files.ts';
import { identityLogOf } from './identity-log-of.ts';
import { ownerIn } from './is-root.ts';
import { isNewer, textOf } from './key-files.ts';
import { readKeyFile } from './named-files.ts';

type Folders = Pick<ServerSettings, 'keys' | 'state'>;

/**
 * Where the settings put back name another folder for keys, what came into the one so far after the backup goes along, as it would stay in
 * the same one: order keys since, and lists of keys that are newer.
 */
export async function carryKeys(places: Map<string, KeyFile>, from: Folders, to: Folders): Promise<void> {
  if (from.keys === to.keys || !(await exists(from.keys))) return;
  for (const entry of await readdir(from.keys, { withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const there = await readKeyFile(`keys/${entry.name}`, join(from.keys, entry.name));
    const path = join(to.keys, entry.name);
    const restored = places.get(path);
    if (restored === undefined || isNewer(path, textOf(there), textOf(restored))) places.set(path, there);
  }
}

/** The highest release that hosts have seen, in the state's folder. */
export const RELEASE_NUMBER = 'release-number';

/** The same for what lies in the state's folder and no backup may take back: identities since, in their order, and the number of the last release. */
export async function carryState(from: Folders, to: Folders): Promise<void> {
  if (from.state === to.state) return;
  await addIdentities(identityLogOf(to), (await identityLogOf(from).read()).events);
  const highest = await readIfThere(join(from.state, RELEASE_NUMBER));
  const path = join(to.state, RELEASE_NUMBER);
  const there = Number((await readIfThere(path)) ?? 0);
  if (highest !== undefined && !(there >= Number(highest)))
    await writeNew(path, highest, 0o644, await ownerIn(to.state));
}
