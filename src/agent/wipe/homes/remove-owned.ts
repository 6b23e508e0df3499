import { closeSync, lstatSync } from 'node:fs';
import { hasCode } from '../../has-code.ts';
import { below, type Folder, idOf, openIn } from './open-folder.ts';
import { DEEPEST, entriesOf, leaveIt, pathOf, type Removing, reasonOf, removeName } from './remove-tree.ts';

/**
 * Removes what belongs to certain users, wherever it is below the folder; a folder of theirs goes with all that is in it.
 */
export async function removeOwned(
  folder: Folder,
  isTheirs: (uid: number) => boolean,
  removing: Removing,
  depth = 0,
): Promise<void> {
  for (const entry of entriesOf(folder)) {
    const name = Buffer.from(entry.name, 'latin1');
    let uid: number;
    try {
      if (entry.isDirectory()) {
        const found = openIn(folder, name);
        if (found.kind !== 'folder') continue;
        try {
          uid = found.folder.stats.uid;
          if (!isTheirs(uid) && depth < DEEPEST && !removing.keep.has(idOf(found.folder.stats))) {
            await removeOwned(found.folder, isTheirs, removing, depth + 1);
          }
        } finally {
          closeSync(found.folder.fd);
        }
      } else uid = lstatSync(below(folder, name)).uid;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue;
      leaveIt(removing, pathOf(folder, name), reasonOf(error));
      continue;
    }
    if (isTheirs(uid)) await removeName(folder, name, removing);
  }
}
