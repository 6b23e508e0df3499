import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { type OnDisk, readOnDisk, type Stored } from './on-disk.ts';
import { zfsEncrypted } from './zfs.ts';

export const hdEncryption = {
  name: 'hd_encryption',
  describe: 'whether what is on disk (file systems and swap) is encrypted',
  timeout: seconds(30),
  collect: collectEncryption,
} satisfies Collector;

async function collectEncryption(host: HostAccess): Promise<unknown> {
  const onDisk = await readOnDisk(host);
  if (onDisk.mounts === undefined) return UNKNOWN;
  const zfs = await zfsAnswers(host, onDisk.mounts);
  return [...onDisk.mounts, ...storedSwaps(onDisk)]
    .filter(({ place }) => !onDisk.removable(place))
    .map(({ mountpoint, device, type, place }) => ({
      mountpoint,
      device,
      type,
      encrypted: type === 'ecryptfs' ? true : (zfs.get(`${type} ${device}`) ?? onDisk.encrypted(place)),
    }))
    .sort(byMountpoint);
}

/** ZFS encrypts by itself, and sysfs does not show its disks. @returns by `zfs DATASET` */
async function zfsAnswers(host: HostAccess, mounts: readonly Stored[]): Promise<Map<string, boolean>> {
  const datasets = mounts.filter(({ type }) => type === 'zfs').map(({ device }) => device);
  const answers = datasets.length === 0 ? undefined : await zfsEncrypted(host, datasets);
  return new Map(
    [...(answers ?? [])].flatMap(([name, answer]) => (typeof answer === 'boolean' ? [[`zfs ${name}`, answer]] : [])),
  );
}

/** Swap holds what was in memory, keys too. The mount point is lsblk's word for it. */
function storedSwaps({ swaps }: OnDisk): Stored[] {
  return (swaps ?? []).flatMap((swap) =>
    swap.inMemory ? [] : [{ mountpoint: '[SWAP]', device: swap.device, type: 'swap', place: swap.place }],
  );
}

function byMountpoint(a: { mountpoint: string; device: string }, b: { mountpoint: string; device: string }): number {
  if (a.mountpoint !== b.mountpoint) return a.mountpoint < b.mountpoint ? -1 : 1;
  return a.device < b.device ? -1 : a.device > b.device ? 1 : 0;
}
