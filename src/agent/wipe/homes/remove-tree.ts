import {
  closeSync,
  type Dirent,
  fchmodSync,
  fchownSync,
  lstatSync,
  opendirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { messageOf } from '../../../core/errors.ts';
import { hasCode } from '../../has-code.ts';
import { below, type Folder, idOf, openIn } from './open-folder.ts';

/** How things are removed below one folder, and what became of it. */
export interface Removing {
  /** `DEV:INODE` of folders that are never touched */
  keep: ReadonlySet<string>;
  /** Takes off what protects a name in the folder from removal (chattr, read-only subvolumes). @returns whether it is worth another try */
  release(folder: Folder, name: string): Promise<boolean>;
  /** files, folders, links */
  removed: number;
  /** path → why it is still there */
  left: Map<string, string>;
  /** how many are still there beside those of `left` */
  moreLeft: number;
}

/** How deep folders are gone into by themselves; each level holds a descriptor. */
export const DEEPEST = 64;
/** Subvolumes cannot be moved, and so add to the depth. */
const DEEPEST_OF_ALL = 400;
const MOST_LEFT = 50;
/** A round in which nothing is done ends it. This many end it too: then somebody adds to it as fast as it is emptied. */
const MOST_ROUNDS = 100_000;

export function newRemoving(options: Pick<Removing, 'keep' | 'release'>): Removing {
  return { ...options, removed: 0, left: new Map(), moreLeft: 0 };
}

/** Removes everything in the folder, and not the folder: no link is followed, and nothing that is mounted is entered. */
export async function emptyFolder(folder: Folder, removing: Removing): Promise<void> {
  await empty({ folder, top: folder, depth: 0 }, removing);
}

/** Removes one name of a folder, with all that is below it. */
export async function removeName(folder: Folder, name: Buffer, removing: Removing): Promise<boolean> {
  return (await remove({ folder, top: folder, depth: 0 }, name, removing)) !== 'left';
}

interface Place {
  folder: Folder;
  /** where folders that lie too deep are moved to */
  top: Folder;
  depth: number;
}

/** `moved`: its folder is done with it, the top is not. */
type Outcome = 'removed' | 'moved' | 'left';

async function empty(place: Place, removing: Removing): Promise<void> {
  if (place.depth > 0) await take(place.folder, removing);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let done = 0;
    for (const entry of entriesOf(place.folder)) {
      const outcome = await remove(place, Buffer.from(entry.name, 'latin1'), removing, entry.isDirectory());
      if (outcome !== 'left') done++;
    }
    // What was moved up here meanwhile is seen in the next round.
    if (done === 0) return;
  }
}

/** Names as they are, one character for each byte; not all at once, since a folder may hold more than there is memory for. */
export function* entriesOf({ fd }: Folder): Generator<Dirent> {
  const opened = opendirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', bufferSize: 1024 });
  try {
    for (let entry = opened.readSync(); entry !== null; entry = opened.readSync()) yield entry;
  } finally {
    opened.closeSync();
  }
}

/** From now on nobody but root changes anything in it. */
async function take(folder: Folder, removing: Removing): Promise<void> {
  for (const again of [true, false]) {
    try {
      fchownSync(folder.fd, 0, 0);
      fchmodSync(folder.fd, 0o700);
      return;
    } catch (error) {
      // What cannot be removed is told then.
      if (!again || !isProtected(error) || !(await removing.release(folder, '.'))) return;
    }
  }
}

function isProtected(error: unknown): boolean {
  return hasCode(error, 'EPERM', 'EACCES', 'EROFS');
}

async function remove(place: Place, name: Buffer, removing: Removing, isFolder = false): Promise<Outcome> {
  const { folder } = place;
  const path = pathOf(folder, name);
  const leave = (why: string): Outcome => {
    leaveIt(removing, path, why);
    return 'left';
  };
  if (removing.left.has(path)) return 'left';
  for (const again of [true, false]) {
    try {
      if (isFolder || !unlinkUnlessFolder(folder, name)) {
        const outcome = await removeFolder(place, name, removing);
        if (outcome !== 'removed') return outcome;
      }
      removing.removed++;
      return 'removed';
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 'removed';
      if (again && isProtected(error) && (await removing.release(folder, name.toString()))) continue;
      return leave(reasonOf(error));
    }
  }
  return leave('it is protected');
}

/** @returns false where it is a folder */
function unlinkUnlessFolder(folder: Folder, name: Buffer): boolean {
  try {
    unlinkSync(below(folder, name));
    return true;
  } catch (error) {
    if (hasCode(error, 'EISDIR')) return false;
    // Some file systems say this of folders.
    if (hasCode(error, 'EPERM') && lstatSync(below(folder, name)).isDirectory()) return false;
    throw error;
  }
}

async function removeFolder({ folder, top, depth }: Place, name: Buffer, removing: Removing): Promise<Outcome> {
  const path = pathOf(folder, name);
  const found = openIn(folder, name);
  if (found.kind === 'missing') return 'removed';
  if (found.kind === 'mount') {
    leaveIt(removing, path, 'something is mounted there');
    return 'left';
  }
  if (found.kind !== 'folder') {
    unlinkSync(below(folder, name));
    return 'removed';
  }
  const child = found.folder;
  try {
    if (removing.keep.has(idOf(child.stats))) {
      leaveIt(removing, path, "it is not a person's");
      return 'left';
    }
    const onItsOwn = child.stats.dev !== folder.stats.dev;
    if (depth >= DEEPEST && !onItsOwn && moveUp(folder, name, top)) return 'moved';
    if (depth >= DEEPEST_OF_ALL) {
      leaveIt(removing, path, 'it lies too deep');
      return 'left';
    }
    await empty({ folder: child, top: onItsOwn ? child : top, depth: depth + 1 }, removing);
  } finally {
    closeSync(child.fd);
  }
  try {
    rmdirSync(below(folder, name));
    return 'removed';
  } catch (error) {
    // Whatever is left in it was told.
    if (hasCode(error, 'ENOTEMPTY')) return 'left';
    throw error;
  }
}

let moves = 0;

/** Within its file system, to the top. */
function moveUp(folder: Folder, name: Buffer, top: Folder): boolean {
  for (let tries = 0; tries < 10; tries++) {
    const to = Buffer.from(`.penguindome-wipe-${process.pid}-${++moves}`);
    try {
      renameSync(below(folder, name), below(top, to));
      return true;
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return false;
    }
  }
  return false;
}

/** For people: whatever is in a name, it is one line. */
export function pathOf(folder: Folder, name: Buffer): string {
  return `${folder.path}/${name.toString()}`.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
}

export function leaveIt(removing: Removing, path: string, why: string): void {
  if (removing.left.has(path)) return;
  if (removing.left.size < MOST_LEFT) removing.left.set(path, why);
  else removing.moreLeft++;
}

export function reasonOf(error: unknown): string {
  if (hasCode(error, 'EBUSY')) return 'something is mounted there';
  if (hasCode(error, 'EROFS')) return 'the file system is read-only';
  if (hasCode(error, 'EPERM', 'EACCES')) return 'it is protected';
  return messageOf(error).replace(/,? \w+ '.*$/s, '');
}
