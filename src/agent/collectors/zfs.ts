import { seconds } from '../../core/duration.ts';
import type { HostAccess } from '../collector.ts';
import { nameOfPath } from './block-devices.ts';
import { isEncrypted, readStorage } from './storage.ts';

/** A pool that has lost its disks lets every command hang. */
const LIMIT = { timeout: seconds(8) };

/** Of one data set: whether what it holds is encrypted, or why that cannot be told. */
export type ZfsAnswer = boolean | { unknown: string };

/**
 * Whether data sets are encrypted, by ZFS itself or because all devices of their pool are (ZFS on LUKS).
 * @param names of data sets. @returns by name; undefined where there is no zfs program
 */
export async function zfsEncrypted(
  host: HostAccess,
  names: readonly string[],
): Promise<Map<string, ZfsAnswer> | undefined> {
  const zfs = await host.find('zfs');
  if (zfs === undefined) return undefined;
  const wanted = [...new Set(names)].sort();
  const { stdout } = await host.run(zfs, ['get', '-Hp', '-o', 'name,value', 'encryption', ...wanted], LIMIT);
  const ciphers = parseZfsGet(stdout);
  const below = await poolsOnCrypt(host, [...new Set(wanted.map(poolOf))]);
  return new Map(wanted.map((name) => [name, judge(ciphers.get(name), below.get(poolOf(name)))]));
}

function poolOf(dataset: string): string {
  return dataset.split('/')[0] ?? dataset;
}

/** @param cipher as ZFS says: `off`, or `-` where the pool is older than encryption (zfsprops(7)) */
function judge(cipher: string | undefined, poolOnCrypt: boolean | undefined): ZfsAnswer {
  if (poolOnCrypt === true) return true;
  if (cipher === undefined) return { unknown: 'zfs does not tell of it' };
  if (cipher !== 'off' && cipher !== '-') return true;
  return poolOnCrypt === undefined ? { unknown: 'zpool does not tell what the pool lies on' } : false;
}

/** Lines of `zfs get -Hp -o name,value`, separated by one tab. */
export function parseZfsGet(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [name, value] = line.split('\t');
    if (name !== undefined && value !== undefined && value.trim() !== '') values.set(name, value.trim());
  }
  return values;
}

/** @returns by pool; without those of which it cannot be told, such as one that lies in a file */
async function poolsOnCrypt(host: HostAccess, pools: readonly string[]): Promise<Map<string, boolean>> {
  const zpool = await host.find('zpool');
  const answers = new Map<string, boolean>();
  for (const pool of zpool === undefined ? [] : pools) {
    const { code, stdout } = await host.run(zpool ?? '', ['list', '-vHLP', pool], LIMIT);
    const paths = code === 0 ? parseVdevs(stdout) : [];
    if (paths.length === 0) continue;
    const names = await Promise.all(paths.map((path) => nameOfPath(host, path)));
    const places = names.map((name) => (name === undefined ? undefined : [name]));
    const storage = await readStorage(host, places);
    const encrypted = places.map((place) => isEncrypted(place, storage, () => undefined));
    if (encrypted.includes(false)) answers.set(pool, false);
    else if (encrypted.every((each) => each === true)) answers.set(pool, true);
  }
  return answers;
}

/** The devices in `zpool list -vHLP POOL` (zpool-list(8)): what is a path; mirrors and the like have names. */
export function parseVdevs(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const path = line
      .split('\t')
      .map((field) => field.trim())
      .find((field) => field.startsWith('/'));
    return path ?? [];
  });
}
