import type { HostAccess } from '../../collector.ts';
import { namesIn, textOf } from '../../collectors/lenient.ts';
import { parseMounts } from '../../collectors/mounts.ts';

/** No other is looked into: a file server that is out of reach, as it is for a machine that was stolen, would never answer. */
const WITH_FSCRYPT = new Set(['btrfs', 'ext4', 'f2fs', 'ubifs']);

/** What is encrypted by other means than LUKS on a disk of this machine, which is not erased: sentences. */
export async function readElsewhere(host: HostAccess): Promise<string[]> {
  const mounts = parseMounts((await textOf(host, '/proc/self/mountinfo')) ?? '');
  const pools = mounts.filter(({ type }) => type === 'zfs').map(({ source }) => source.split('/')[0] ?? source);
  const homed = ((await namesIn(host, '/var/lib/systemd/home')) ?? []).flatMap(
    (name) => /^(.+)\.identity$/.exec(name)?.[1] ?? [],
  );
  const fscrypt = mounts.filter(({ type }) => WITH_FSCRYPT.has(type)).map(({ mountpoint }) => mountpoint);
  const withPolicies = await Promise.all(
    fscrypt.map(async (point) => {
      const folder = `${point === '/' ? '' : point}/.fscrypt/policies`;
      return ((await namesIn(host, folder, 1)) ?? []).length > 0 ? [point] : [];
    }),
  );
  return [
    ...[...new Set(pools)].map((pool) => `the pool ${pool}: what ZFS itself encrypts keeps its keys`),
    ...homed.map((name) => `the home of ${name}, an account of systemd-homed: its image keeps its own keys`),
    ...withPolicies.flat().map((point) => `${point}: what fscrypt encrypts keeps its keys`),
    'disks that encrypt by themselves (TCG Opal, ATA security): their keys are not changed',
  ];
}
