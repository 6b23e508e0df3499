import { closeSync, mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Mount } from '../../collectors/mounts.ts';
import { holderOf } from '../../collectors/swaps.ts';
import { type RunTool, whyFailed } from '../tools.ts';
import { openPath } from './open-folder.ts';
import { emptyFolder, type Removing, removeName } from './remove-tree.ts';

/** One line of `btrfs subvolume list -u -q -R`. */
export interface Subvolume {
  id: number;
  uuid: string;
  /** of what it is a snapshot of */
  parent?: string;
  /** of what it was received from (btrfs send) */
  received?: string;
  /** from the top of the file system */
  path: string;
}

/** `ID 257 gen 8 top level 5 parent_uuid - received_uuid - uuid 1234-… path home/.snapshots/1/snapshot` */
export function parseSubvolumes(text: string): Subvolume[] {
  return text.split('\n').flatMap((line) => {
    const [, id, fields = '', path] = /^ID (\d+) (.*?) path (.+)$/.exec(line) ?? [];
    const field = (name: string) => new RegExp(`(?:^| )${name}\\s+([0-9a-f-]{36})(?: |$)`).exec(fields)?.[1];
    const [uuid, parent, received] = [field('uuid'), field('parent_uuid'), field('received_uuid')];
    if (id === undefined || uuid === undefined || path === undefined) return [];
    return [
      {
        id: Number(id),
        uuid,
        ...(parent === undefined ? {} : { parent }),
        ...(received === undefined ? {} : { received }),
        path: path.replace(/^<FS_TREE>\//, ''),
      },
    ];
  });
}

/** All that came from the subvolume, from what it came from itself (after a rollback), or from one of those: without it. */
export function kinOf(subvolume: Subvolume, all: readonly Subvolume[]): Subvolume[] {
  const family = new Set([subvolume.uuid]);
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { uuid, parent, received } of all) {
      const names = [uuid, parent, received].filter((name) => name !== undefined);
      if (names.some((name) => family.has(name))) for (const name of names) family.add(name);
    }
  }
  return all.filter(({ uuid }) => uuid !== subvolume.uuid && family.has(uuid));
}

/** Where a path lies on a btrfs: its place from the top of the file system. */
export interface OnBtrfs {
  device: string;
  /** from the top, `/@home/alice` */
  path: string;
}

export function onBtrfs(path: string, mounts: readonly Mount[]): OnBtrfs | undefined {
  const placed = mounts.map((mount) => ({ ...mount, place: undefined }));
  const mount = placed.find(({ mountpoint }) => mountpoint === path) ?? holderOf(path, placed);
  if (mount?.type !== 'btrfs') return undefined;
  const rest = mount.mountpoint === '/' ? path : path.slice(mount.mountpoint.length);
  return { device: mount.source, path: join('/', mount.root, rest) };
}

/** The subvolume that holds a path from the top, and what is left of the path in it (`''`: it is the subvolume). Not of the top itself. */
export function subvolumeOf(
  path: string,
  all: readonly Subvolume[],
): { subvolume: Subvolume; rest: string } | undefined {
  const holders = all.filter((one) => path === `/${one.path}` || path.startsWith(`/${one.path}/`));
  const subvolume = holders.sort((a, b) => b.path.length - a.path.length)[0];
  return subvolume === undefined ? undefined : { subvolume, rest: path.slice(subvolume.path.length + 2) };
}

export interface SnapshotWork {
  run: RunTool;
  mounts: readonly Mount[];
  /** root's alone, where file systems are mounted for the time of it */
  folder: string;
  removing: Removing;
}

/**
 * Removes homes from the snapshots of the subvolumes that hold them. What else is in a snapshot stays.
 * @param homes paths without links, and whose they are. @returns sentences
 */
export async function removeFromSnapshots(
  homes: readonly { path: string; isOwner: (uid: number) => boolean }[],
  { run, mounts, folder, removing }: SnapshotWork,
): Promise<{ did: string[]; not: string[] }> {
  const [did, not]: [string[], string[]] = [[], []];
  const places = homes.flatMap(({ path, isOwner }) => {
    const place = onBtrfs(path, mounts);
    return place === undefined ? [] : [{ ...place, isOwner }];
  });
  for (const device of new Set(places.map((place) => place.device))) {
    const at = join(folder, 'btrfs');
    mkdirSync(at, { recursive: true, mode: 0o700 });
    // Of a run that was cut off.
    await run('umount', ['-l', '--', at]);
    // Its top, wherever the machine has what of it mounted.
    const mounted = await run('mount', ['-t', 'btrfs', '-o', 'subvolid=5,nosuid,nodev,noexec', '--', device, at]);
    if (mounted.code !== 0) {
      not.push(`snapshots on ${device}: ${whyFailed('mount', mounted)}`);
      continue;
    }
    try {
      const listed = await run('btrfs', ['subvolume', 'list', '-u', '-q', '-R', at]);
      if (listed.code !== 0) not.push(`snapshots on ${device}: ${whyFailed('btrfs', listed)}`);
      const all = parseSubvolumes(listed.stdout);
      for (const { path, isOwner } of places.filter((place) => place.device === device)) {
        const held = subvolumeOf(path, all);
        for (const kin of held === undefined ? [] : kinOf(held.subvolume, all)) {
          const where = join(at, kin.path, held?.rest ?? '');
          const gone = await removeCopy({ run, removing, isOwner }, join(at, kin.path), where);
          if (gone) did.push(`removed ${held?.rest || 'the home'} from the snapshot ${kin.path} on ${device}`);
        }
      }
    } finally {
      await run('umount', ['-l', '--', at]);
      removeIfThere(at);
    }
  }
  return { did, not };
}

/** An empty folder of our own that stays does no harm. */
function removeIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // the next run uses it
  }
}

interface Copy {
  run: RunTool;
  removing: Removing;
  isOwner: (uid: number) => boolean;
}

/** @returns whether there was something to remove, and it is gone */
async function removeCopy({ run, removing, isOwner }: Copy, snapshot: string, home: string): Promise<boolean> {
  const opened = openPath(home, () => false);
  if (opened.kind !== 'folder') return false;
  const { folder } = opened;
  try {
    // A whole system may be kin of a home that was made as its snapshot.
    if (!isOwner(folder.stats.uid)) return false;
    const readOnly =
      (await run('btrfs', ['property', 'get', '-t', 'subvol', snapshot, 'ro'])).stdout.trim() === 'ro=true';
    if (readOnly) await setReadOnly(run, snapshot, false);
    const before = removing.left.size + removing.moreLeft;
    await emptyFolder(folder, removing);
    if (home !== snapshot) await removeItself(home, removing);
    else await run('btrfs', ['subvolume', 'delete', '--', snapshot]);
    if (readOnly && home !== snapshot) await setReadOnly(run, snapshot, true);
    return removing.left.size + removing.moreLeft === before;
  } finally {
    closeSync(folder.fd);
  }
}

async function setReadOnly(run: RunTool, path: string, value: boolean): Promise<void> {
  for (const force of [['-f'], []]) {
    if ((await run('btrfs', ['property', 'set', ...force, '-t', 'subvol', path, 'ro', `${value}`])).code === 0) return;
  }
}

async function removeItself(home: string, removing: Removing): Promise<void> {
  const at = home.lastIndexOf('/');
  const parent = openPath(home.slice(0, at), () => false);
  if (parent.kind !== 'folder') return;
  try {
    await removeName(parent.folder, Buffer.from(home.slice(at + 1)), removing);
  } finally {
    closeSync(parent.folder.fd);
  }
}
