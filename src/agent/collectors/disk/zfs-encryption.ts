import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { readOnDisk, type Stored } from '../on-disk.ts';
import { type ZfsAnswer, zfsEncrypted } from '../zfs.ts';

/** Data sets that containers mount and unmount all the time. */
const CONTAINERS = /^\/var\/(?:lib\/(?:docker|containers?|containerd|lxd|incus|lxc|machines)|snap\/lxd)\//;

export const zfsEncryption: Fact = {
  name: 'zfs_encryption',
  timeout: seconds(60),
  look: async (host: HostAccess) => {
    const mounted = ((await readOnDisk(host)).mounts ?? []).filter(isDataset);
    if (mounted.length === 0) return undefined;
    const datasets = mounted.map(({ device }) => device);
    const answers = await zfsEncrypted(host, datasets);
    if (answers === undefined) return unknown('zfs is not installed');
    return mounted
      .map(({ mountpoint, device }) => ({ mountpoint, dataset: device, encrypted: told(answers.get(device)) }))
      .sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1));
  },
};

function isDataset({ type, device, mountpoint }: Stored): boolean {
  // A snapshot is mounted for as long as somebody looks at it.
  return type === 'zfs' && !device.includes('@') && !CONTAINERS.test(`${mountpoint}/`);
}

function told(answer: ZfsAnswer | undefined): unknown {
  if (typeof answer === 'boolean') return answer;
  return unknown(answer?.unknown ?? 'zfs does not tell of it');
}
