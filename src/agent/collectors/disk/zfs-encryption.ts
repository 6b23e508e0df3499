import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { nameOfPath } from '../block-devices.ts';
import { type Fact, unknown } from '../group.ts';
import { readOnDisk, type Stored } from '../on-disk.ts';
import { isEncrypted, readStorage } from '../storage.ts';

/** Data sets that containers mount and unmount all the time. */
const CONTAINERS = /^\/var\/(?:lib\/(?:docker|containers?|containerd|lxd|incus|lxc|machines)|snap\/lxd)\//;

export const zfsEncryption: Fact = {
  name: 'zfs_encryption',
  timeout: seconds(60),
  look: async (host: HostAccess) => {
    const mounted = ((await readOnDisk(host)).mounts ?? []).filter(isDataset);
    if (mounted.length === 0) return undefined;
    const zfs = await host.find('zfs');
    if (zfs === undefined) return unknown('zfs is not installed');
    const names = [...new Set(mounted.map(({ device }) => device))].sort();
    const { stdout } = await host.run(zfs, ['get', '-Hp', '-o', 'name,value', 'encryption', ...names]);
    const ciphers = parseZfsGet(stdout);
    const below = await poolsOnCrypt(host, [...new Set(names.map(poolOf))]);
    return mounted
      .map(({ mountpoint, device }) => ({
        mountpoint,
        dataset: device,
        encrypted: judge(ciphers.get(device), below.get(poolOf(device))),
      }))
      .sort((a, b) => (a.mountpoint < b.mountpoint ? -1 : 1));
  },
};

function isDataset({ type, device, mountpoint }: Stored): boolean {
  // A snapshot is mounted for as long as somebody looks at it.
  return type === 'zfs' && !device.includes('@') && !CONTAINERS.test(`${mountpoint}/`);
}

function poolOf(dataset: string): string {
  return dataset.split('/')[0] ?? dataset;
}

/** @param cipher as ZFS says: `off`, or `-` where the pool is older than encryption (zfsprops(7)) */
function judge(cipher: string | undefined, poolOnCrypt: boolean | undefined): unknown {
  if (poolOnCrypt === true) return true;
  if (cipher === undefined) return unknown('zfs does not tell of it');
  if (cipher !== 'off' && cipher !== '-') return true;
  return poolOnCrypt === undefined ? unknown('zpool does not tell what the pool lies on') : false;
}

/** Lines of `zfs get -Hp -o name,value`, separated by one tab. */
export function parseZfsGet(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, value] = line.split('\t');
    if (name !== undefined && value !== undefined && value !== '') values.set(name, value.trim());
  }
  return values;
}

/** Pools whose devices are all encrypted already, as with ZFS on LUKS. */
async function poolsOnCrypt(host: HostAccess, pools: readonly string[]): Promise<Map<string, boolean>> {
  const zpool = await host.find('zpool');
  const answers = new Map<string, boolean>();
  for (const pool of zpool === undefined ? [] : pools) {
    const { code, stdout } = await host.run(zpool ?? '', ['list', '-vHLP', pool]);
    const paths = parseVdevs(stdout);
    if (code !== 0 || paths.length === 0) continue;
    const names = await Promise.all(paths.map((path) => nameOfPath(host, path)));
    const places = names.map((name) => (name === undefined ? undefined : [name]));
    const storage = await readStorage(host, places);
    answers.set(
      pool,
      places.every((place) => isEncrypted(place, storage, () => undefined) === true),
    );
  }
  return answers;
}

/** The devices in `zpool list -vHLP POOL`: what is a path; mirrors and the like have names. */
export function parseVdevs(text: string): string[] {
  return text.split('\n').flatMap(
    (line) =>
      line
        .split('\t')
        .find((field) => field.trim().startsWith('/'))
        ?.trim() ?? [],
  );
}
