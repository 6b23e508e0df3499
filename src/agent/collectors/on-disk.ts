import type { HostAccess } from '../collector.ts';
import { lastingName } from './block-devices.ts';
import { diskMounts } from './disk-mounts.ts';
import { factsOf, textOf } from './lenient.ts';
import { type Mount, parseMounts } from './mounts.ts';
import {
  disksOf,
  type Encrypted,
  isEncrypted,
  type Place,
  placeOfMount,
  readStorage,
  type Storage,
} from './storage.ts';
import { holderOf, type Placed, readSwaps, type Swap } from './swaps.ts';

/** A mounted file system whose contents are on disk. */
export interface Stored extends Placed {
  device: string;
  type: string;
}

/** What of this machine is on disk. */
export interface OnDisk {
  /** undefined where mounts cannot be read */
  mounts: readonly Stored[] | undefined;
  /** undefined where the kernel's list cannot be read */
  swaps: readonly Swap[] | undefined;
  encrypted(place: Place): Encrypted;
  /** on sticks and cards only, which are not this machine's; what the system itself runs from never is */
  removable(place: Place): boolean;
}

/** @returns undefined where mounts cannot be read */
export function readMountinfo(host: HostAccess): Promise<string | undefined> {
  // The mounts that the machine has, not those that our unit's sandbox made for us.
  return textOf(host, '/proc/1/mountinfo').then((text) => text ?? textOf(host, '/proc/self/mountinfo'));
}

export async function readOnDisk(host: HostAccess): Promise<OnDisk> {
  const text = await readMountinfo(host);
  const found = text === undefined ? [] : await fileSystems(host, text);
  const mounts = await Promise.all(found.map((mount) => storedMount(host, mount)));
  const swaps = await readSwaps(host, mounts);
  const swapPlaces = (swaps ?? []).map((swap) => (swap.inMemory ? undefined : swap.place));
  const storage = await readStorage(host, [...mounts.map(({ place }) => place), ...swapPlaces]);
  const placeOfFile = (path: string) => holderOf(path, mounts)?.place;
  return {
    mounts: text === undefined ? undefined : mounts,
    swaps,
    encrypted: (place) => isEncrypted(place, storage, placeOfFile),
    removable: telling(mounts, storage),
  };
}

/** A single file that is mounted somewhere else (containers do that) is no file system to judge: the one that it comes from is. */
async function fileSystems(host: HostAccess, mountinfo: string): Promise<Mount[]> {
  const mounts = diskMounts(parseMounts(mountinfo));
  const facts = await Promise.all(mounts.map(({ mountpoint }) => factsOf(host, mountpoint)));
  return mounts.filter((_, index) => facts[index]?.kind !== 'file');
}

async function storedMount(host: HostAccess, mount: Mount): Promise<Stored> {
  const place = await placeOfMount(host, mount);
  // Kernels booted without an initrd call the root's device /dev/root.
  const named = mount.source === '/dev/root' && place?.[0] !== undefined ? `/dev/${place[0]}` : mount.source;
  return { mountpoint: mount.mountpoint, device: await lastingName(host, named), type: mount.type, place };
}

function telling(mounts: readonly Stored[], storage: Storage): (place: Place) => boolean {
  const system = new Set(disksOf(mounts.find(({ mountpoint }) => mountpoint === '/')?.place, storage));
  return (place) => {
    const disks = disksOf(place, storage);
    return disks.length > 0 && disks.every((disk) => disk.removable && !system.has(disk));
  };
}
