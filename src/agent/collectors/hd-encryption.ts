import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { nameOfPath } from './block-devices.ts';
import { diskMounts } from './disk-mounts.ts';
import { textOf } from './lenient.ts';
import { type Mount, parseMounts, parseSwaps } from './mounts.ts';
import {
  disksOf,
  type Encrypted,
  isEncrypted,
  type Place,
  placeOfMount,
  readStorage,
  type Storage,
} from './storage.ts';

export const hdEncryption = {
  name: 'hd_encryption',
  describe: 'whether what is on disk (file systems and swap) is encrypted',
  timeout: seconds(30),
  collect: collectEncryption,
} satisfies Collector;

/** Something whose contents are on disk, before the question whether encrypted. */
interface Stored {
  mountpoint: string;
  device: string;
  type: string;
  place: Place;
}

async function collectEncryption(host: HostAccess): Promise<unknown> {
  // The mounts that the machine has, not those that our unit's sandbox made for us.
  const text = (await textOf(host, '/proc/1/mountinfo')) ?? (await textOf(host, '/proc/self/mountinfo'));
  if (text === undefined) return UNKNOWN;
  const mounts = await Promise.all((await fileSystems(host, text)).map((mount) => storedMount(host, mount)));
  const swaps = await readSwaps(host, mounts);
  const all = [...mounts, ...swaps];
  const storage = await readStorage(
    host,
    all.map(({ place }) => place),
  );

  const placeOfFile = (path: string) => holderOf(path, mounts)?.place;
  return withoutRemovable(all, storage)
    .map(({ place, ...stored }) => ({ ...stored, encrypted: judge(stored.type, place, storage, placeOfFile) }))
    .sort(byMountpoint);
}

/** A single file that is mounted somewhere else (containers do that) is no file system to judge: the one that it comes from is. */
async function fileSystems(host: HostAccess, mountinfo: string): Promise<Mount[]> {
  const mounts = diskMounts(parseMounts(mountinfo));
  const kinds = await Promise.all(mounts.map((mount) => kindOf(host, mount.mountpoint)));
  return mounts.filter((_, index) => kinds[index] !== 'file');
}

async function kindOf(host: HostAccess, path: string): Promise<string | undefined> {
  try {
    return (await host.stat(path))?.kind;
  } catch {
    return undefined;
  }
}

async function storedMount(host: HostAccess, mount: Mount): Promise<Stored> {
  const place = await placeOfMount(host, mount);
  // Kernels booted without an initrd call the root's device /dev/root.
  const named = mount.source === '/dev/root' && place?.[0] !== undefined ? `/dev/${place[0]}` : mount.source;
  return { mountpoint: mount.mountpoint, device: await lastingName(host, named), type: mount.type, place };
}

/** `dm-2` is the third mapping that was opened since the start, whichever that was: /proc/swaps says so, and btrfs now and then. */
async function lastingName(host: HostAccess, path: string): Promise<string> {
  const kernel = /^\/dev\/(dm-\d+)$/.exec(path)?.[1];
  const mapping = kernel === undefined ? undefined : await textOf(host, `/sys/class/block/${kernel}/dm/name`);
  return mapping === undefined ? path : `/dev/mapper/${mapping.trimEnd()}`;
}

function judge(type: string, place: Place, storage: Storage, placeOfFile: (path: string) => Place): Encrypted {
  return type === 'ecryptfs' ? true : isEncrypted(place, storage, placeOfFile);
}

/** Swap holds what was in memory, keys too. The mount point is lsblk's word for it. */
async function readSwaps(host: HostAccess, mounts: readonly Stored[]): Promise<Stored[]> {
  const paths = parseSwaps((await textOf(host, '/proc/swaps')) ?? '');
  const swaps = paths.map(async (path): Promise<Stored | undefined> => {
    const stored = { mountpoint: '[SWAP]', device: await lastingName(host, path), type: 'swap' };
    if (!path.startsWith('/dev/')) return { ...stored, place: holderOf(path, mounts)?.place };
    const name = await nameOfPath(host, path);
    if (name?.startsWith('zram')) {
      const behind = await behindZram(host, name);
      return behind === undefined ? undefined : { ...stored, place: behind };
    }
    return { ...stored, place: name === undefined ? undefined : [name] };
  });
  return (await Promise.all(swaps)).filter((swap) => swap !== undefined);
}

/** zram is memory, unless it was given a device to write back to. */
async function behindZram(host: HostAccess, zram: string): Promise<Place> {
  const path = (await textOf(host, `/sys/class/block/${zram}/backing_dev`))?.trim();
  if (path === undefined || path === 'none' || path === '') return undefined;
  const name = await nameOfPath(host, path);
  return [name ?? path];
}

/** The mount that a file lies on. */
function holderOf(path: string, mounts: readonly Stored[]): Stored | undefined {
  return mounts
    .filter(({ mountpoint }) => mountpoint === '/' || path.startsWith(`${mountpoint}/`))
    .reduce<Stored | undefined>(
      (best, mount) => (best !== undefined && best.mountpoint.length > mount.mountpoint.length ? best : mount),
      undefined,
    );
}

/** Sticks and cards are not this machine's; but a system that runs from one is. */
function withoutRemovable(all: readonly Stored[], storage: Storage): Stored[] {
  const system = new Set(disksOf(all.find(({ mountpoint }) => mountpoint === '/')?.place, storage));
  return all.filter(({ place }) => {
    const disks = disksOf(place, storage);
    return disks.length === 0 || disks.some((disk) => !disk.removable || system.has(disk));
  });
}

function byMountpoint(a: { mountpoint: string; device: string }, b: { mountpoint: string; device: string }): number {
  if (a.mountpoint !== b.mountpoint) return a.mountpoint < b.mountpoint ? -1 : 1;
  return a.device < b.device ? -1 : a.device > b.device ? 1 : 0;
}
