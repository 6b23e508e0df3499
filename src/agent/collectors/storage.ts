import { type HostAccess, UNKNOWN } from '../collector.ts';
import { type BlockDevice, btrfsDevices, nameOfNumber, nameOfPath, readBlockDevice } from './block-devices.ts';
import type { Mount } from './mounts.ts';

export type Encrypted = boolean | typeof UNKNOWN;

/** Kernel names of the devices that something lies on; undefined where they are not to be seen. */
export type Place = readonly string[] | undefined;

/** All block devices that the places lie on, down to the disks. */
export type Storage = ReadonlyMap<string, BlockDevice>;

/** btrfs and its like are on several devices, of which a mount names only one. */
export async function placeOfMount(host: HostAccess, mount: Mount): Promise<Place> {
  if (mount.type === 'btrfs') {
    const name = await nameOfPath(host, mount.source);
    return name === undefined ? undefined : btrfsDevices(host, name);
  }
  if (mount.device.startsWith('0:')) return undefined;
  const name = await nameOfNumber(host, mount.device);
  if (name === undefined) return undefined;
  const others = devicesBeside(mount).map(async (path) => (await nameOfPath(host, path)) ?? path);
  return [name, ...(await Promise.all(others))];
}

/** An XFS may have its log, and the contents of files, on devices of their own (xfs(5), logdev and rtdev). */
function devicesBeside({ type, options }: Mount): string[] {
  if (type !== 'xfs') return [];
  return options.flatMap((option) => /^(?:logdev|rtdev)=(.+)$/.exec(option)?.[1] ?? []);
}

export async function readStorage(host: HostAccess, places: readonly Place[]): Promise<Storage> {
  const storage = new Map<string, BlockDevice>();
  let wanted = new Set(places.flatMap((place) => place ?? []));
  while (wanted.size > 0) {
    const devices = await Promise.all([...wanted].map((name) => readBlockDevice(host, name)));
    for (const device of devices) if (device !== undefined) storage.set(device.name, device);
    wanted = new Set(devices.flatMap((device) => device?.below ?? []).filter((name) => !storage.has(name)));
  }
  return storage;
}

/**
 * Whether all ways from the place down to the disks are encrypted: one that is not is enough to read what is written there.
 * @param placeOfFile where the file behind a loop device lies
 */
export function isEncrypted(place: Place, storage: Storage, placeOfFile: (path: string) => Place): Encrypted {
  if (place === undefined || place.length === 0) return UNKNOWN;
  const answers = place.map((name): Encrypted => {
    const device = storage.get(name);
    if (device === undefined) return UNKNOWN;
    if (device.encrypts) return true;
    // A ZFS volume may be encrypted by ZFS itself, and sysfs does not show the disks below.
    if (/^zd\d/.test(name)) return UNKNOWN;
    if (device.file !== undefined) return isEncrypted(placeOfFile(device.file), storage, () => undefined);
    return device.below.length === 0 ? false : isEncrypted(device.below, storage, placeOfFile);
  });
  if (answers.includes(false)) return false;
  return answers.includes(UNKNOWN) ? UNKNOWN : true;
}

/** The disks at the bottom of the place. */
export function disksOf(place: Place, storage: Storage): BlockDevice[] {
  return (place ?? []).flatMap((name) => {
    const device = storage.get(name);
    if (device === undefined) return [];
    return device.below.length === 0 ? [device] : disksOf(device.below, storage);
  });
}
