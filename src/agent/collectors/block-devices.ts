import { basename, dirname, resolve } from 'node:path';
import type { HostAccess } from '../collector.ts';
import { factsOf, linkAt, namesIn, textOf } from './lenient.ts';

/** A block device by its kernel name (`vda1`, `dm-0`), as sysfs shows it: to everybody, and under PrivateDevices too, where lsblk goes blind. */
export interface BlockDevice {
  name: string;
  /** what is written to it is encrypted before it goes below */
  encrypts: boolean;
  /** kernel names of the devices that it is made of: all of them matter */
  below: string[];
  /** of a loop device: the file that holds it */
  file?: string;
  /** can be pulled out, and is meant to be */
  removable: boolean;
}

/** @returns undefined where sysfs does not show the device */
export async function readBlockDevice(host: HostAccess, name: string): Promise<BlockDevice | undefined> {
  const folder = `/sys/class/block/${name}`;
  const target = await linkAt(host, folder);
  if (target === undefined) return undefined;
  const [uuid, slaves, partition, file] = await Promise.all([
    textOf(host, `${folder}/dm/uuid`),
    namesIn(host, `${folder}/slaves`),
    factsOf(host, `${folder}/partition`),
    name.startsWith('loop') ? textOf(host, `${folder}/loop/backing_file`) : undefined,
  ]);
  const disk = partition === undefined ? undefined : basename(dirname(target));
  const copies = /^LVM-.+-real$/m.test(uuid ?? '') ? await copiesOf(host, name) : [];
  return {
    name,
    encrypts: isEncrypting(uuid ?? ''),
    below: disk === undefined ? [...new Set([...(slaves ?? []), ...copies])] : [disk],
    ...(file === undefined ? {} : { file: file.trimEnd().replace(/ \(deleted\)$/, '') }),
    removable: partition === undefined && (await isRemovable(host, folder, target)),
  };
}

/** `dm-2` is the third mapping that was opened since the start, whichever that was: /proc/swaps says so, and btrfs now and then. */
export async function lastingName(host: HostAccess, path: string): Promise<string> {
  const kernel = /^\/dev\/(dm-\d+)$/.exec(path)?.[1];
  const mapping = kernel === undefined ? undefined : await textOf(host, `/sys/class/block/${kernel}/dm/name`);
  return mapping === undefined ? path : `/dev/mapper/${mapping.trimEnd()}`;
}

/**
 * LVM moves a volume that has snapshots to one called -real, and keeps, for each snapshot, what was there before a change on another one.
 * The volume itself does not name these; both are seen below the snapshot.
 */
async function copiesOf(host: HostAccess, real: string): Promise<string[]> {
  const holders = (await namesIn(host, `/sys/class/block/${real}/holders`)) ?? [];
  const below = await Promise.all(holders.map((holder) => namesIn(host, `/sys/class/block/${holder}/slaves`)));
  return below.flatMap((names) => names ?? []).filter((name) => name !== real);
}

/**
 * cryptsetup names the kind in the uuid: CRYPT-LUKS2-, CRYPT-PLAIN- and so on, whether or not a header is to be seen below.
 * Two of its kinds only protect against change.
 */
function isEncrypting(uuid: string): boolean {
  return /^CRYPT-(?!INTEGRITY-|VERITY-)/.test(uuid);
}

/** As lsblk's HOTPLUG: marked removable, on USB or FireWire, or an SD card (which has the same driver as soldered eMMC). */
async function isRemovable(host: HostAccess, folder: string, target: string): Promise<boolean> {
  if ((await textOf(host, `${folder}/removable`))?.trim() === '1') return true;
  if (/\/(?:usb\d|fw\d)/.test(target)) return true;
  return target.includes('/mmc') && (await textOf(host, `${folder}/device/type`))?.trim() === 'SD';
}

/** @param number MAJOR:MINOR */
export async function nameOfNumber(host: HostAccess, number: string): Promise<string | undefined> {
  const target = await linkAt(host, `/sys/dev/block/${number}`);
  return target === undefined ? undefined : basename(target);
}

/** The kernel's name of `/dev/vda1`, `/dev/mapper/cx` or a link to one; needs no /dev for the first two. */
export async function nameOfPath(host: HostAccess, path: string): Promise<string | undefined> {
  const mapped = /^\/dev\/mapper\/([^/]+)$/.exec(path)?.[1];
  if (mapped !== undefined) {
    const found = await nameOfMapping(host, mapped);
    if (found !== undefined) return found;
  }
  const link = await linkAt(host, path);
  const node = link === undefined ? path : resolve(dirname(path), link);
  // sysfs writes `!` where the device's name has a slash.
  return node.startsWith('/dev/') ? node.slice('/dev/'.length).replaceAll('/', '!') : undefined;
}

async function nameOfMapping(host: HostAccess, mapping: string): Promise<string | undefined> {
  for (const name of (await namesIn(host, '/sys/class/block')) ?? []) {
    if (!name.startsWith('dm-')) continue;
    if ((await textOf(host, `/sys/class/block/${name}/dm/name`))?.trimEnd() === mapping) return name;
  }
  return undefined;
}

/** All devices of the btrfs that holds this one; undefined where the kernel does not say. */
export async function btrfsDevices(host: HostAccess, name: string): Promise<string[] | undefined> {
  for (const id of (await namesIn(host, '/sys/fs/btrfs')) ?? []) {
    const devices = await namesIn(host, `/sys/fs/btrfs/${id}/devices`);
    if (devices?.includes(name)) return devices;
  }
  return undefined;
}
