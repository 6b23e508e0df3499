import type { HostAccess } from '../collector.ts';
import { lastingName, nameOfPath } from './block-devices.ts';
import { textOf } from './lenient.ts';
import { parseSwaps } from './mounts.ts';
import type { Place } from './storage.ts';

/** Swap that is in use, under a name that stays; zram that writes nothing back is in memory alone. */
export type Swap = { device: string } & ({ inMemory: true } | { inMemory: false; place: Place });

/** Something mounted, and where it lies. */
export interface Placed {
  mountpoint: string;
  place: Place;
}

/** @returns undefined where the kernel's list cannot be read */
export async function readSwaps(host: HostAccess, mounts: readonly Placed[]): Promise<Swap[] | undefined> {
  const text = await textOf(host, '/proc/swaps');
  return text === undefined ? undefined : Promise.all(parseSwaps(text).map((path) => readSwap(host, path, mounts)));
}

async function readSwap(host: HostAccess, path: string, mounts: readonly Placed[]): Promise<Swap> {
  const device = await lastingName(host, path);
  if (!path.startsWith('/dev/')) return { device, inMemory: false, place: holderOf(path, mounts)?.place };
  const name = await nameOfPath(host, path);
  if (name?.startsWith('zram')) {
    const behind = await behindZram(host, name);
    return behind === undefined ? { device, inMemory: true } : { device, inMemory: false, place: behind };
  }
  return { device, inMemory: false, place: name === undefined ? undefined : [name] };
}

/** zram is memory, unless it was given a device to write back to. */
async function behindZram(host: HostAccess, zram: string): Promise<Place> {
  const path = (await textOf(host, `/sys/class/block/${zram}/backing_dev`))?.trim();
  if (path === undefined || path === 'none' || path === '') return undefined;
  const name = await nameOfPath(host, path);
  return [name ?? path];
}

/** The mount that a file lies on. */
export function holderOf<T extends Placed>(path: string, mounts: readonly T[]): T | undefined {
  return mounts
    .filter(({ mountpoint }) => mountpoint === '/' || path.startsWith(`${mountpoint}/`))
    .reduce<T | undefined>(
      (best, mount) => (best !== undefined && best.mountpoint.length > mount.mountpoint.length ? best : mount),
      undefined,
    );
}
