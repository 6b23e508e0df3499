import { days, seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type BlockDevice, readBlockDevice } from '../block-devices.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';
import { disksOf, readStorage } from '../storage.ts';
import { type LuksHeader, parseLuks1, parseLuks2 } from './parse-luks.ts';

/** An opened LUKS volume. */
interface Volume {
  /** as `cryptsetup open` was told to call it */
  name: string;
  version: 1 | 2;
  /** kernel's name of the device that holds what is encrypted, and the header, unless that is elsewhere */
  below: string;
}

export const luks: Fact = {
  name: 'luks',
  timeout: seconds(60),
  interval: days(1),
  look: async (host: HostAccess) => {
    const volumes = await findVolumes(host);
    if (volumes === undefined) return unknown('sysfs does not show the block devices');
    if (volumes.length === 0) return [];
    const cryptsetup = await host.find('cryptsetup');
    if (cryptsetup === undefined) return unknown('cryptsetup is not installed');
    if (!host.isRoot) return unknown('only root may read the headers');
    const answers = [];
    for (const volume of volumes)
      answers.push({ device: `/dev/mapper/${volume.name}`, ...(await readVolume(host, cryptsetup, volume)) });
    return answers;
  },
};

async function readVolume(host: HostAccess, cryptsetup: string, { version, below }: Volume) {
  const header = await readHeader(host, cryptsetup, version, `/dev/${below.replaceAll('!', '/')}`);
  if (header !== undefined) return { version, ...header };
  const reason = unknown(`no LUKS header is on ${below}: it may be kept elsewhere`);
  return { version, cipher: reason, slots: reason };
}

/** @param device that holds a LUKS header. @returns undefined where it holds none that can be read */
async function readHeader(
  host: HostAccess,
  cryptsetup: string,
  version: 1 | 2,
  device: string,
): Promise<LuksHeader | undefined> {
  // Without a lock nothing is written to /run; a header that is just being written has a second copy.
  const dump = ['luksDump', '--disable-locks'];
  const args = version === 2 ? [...dump, '--dump-json-metadata', device] : [...dump, device];
  const { code, stdout } = await host.run(cryptsetup, args);
  if (code !== 0) return undefined;
  return version === 2 ? parseLuks2(stdout) : parseLuks1(stdout);
}

/** All that are open, but for those on sticks; by name. @returns undefined where sysfs is not to be seen */
async function findVolumes(host: HostAccess): Promise<Volume[] | undefined> {
  const names = await namesIn(host, '/sys/class/block');
  if (names === undefined) return undefined;
  const mapped = names.filter((name) => /^dm-\d+$/.test(name));
  const volumes = await Promise.all(mapped.map((name) => readOne(host, name)));
  return volumes.filter((volume) => volume !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readOne(host: HostAccess, device: string): Promise<Volume | undefined> {
  const uuid = await textOf(host, `/sys/class/block/${device}/dm/uuid`);
  const version = /^CRYPT-LUKS([12])-/.exec(uuid ?? '')?.[1];
  if (version === undefined) return undefined;
  const storage = await readStorage(host, [[device]]);
  const name = (await textOf(host, `/sys/class/block/${device}/dm/name`))?.trim();
  const below = await holderOfHeader(host, storage.get(device)?.below[0]);
  const disks = disksOf([device], storage);
  if (name === undefined || below === undefined || disks.every(({ removable }) => removable)) return undefined;
  return { name, version: version === '1' ? 1 : 2, below };
}

/** With integrity protection there is a device of cryptsetup's own between the two. */
async function holderOfHeader(host: HostAccess, name: string | undefined): Promise<string | undefined> {
  const device: BlockDevice | undefined = name === undefined ? undefined : await readBlockDevice(host, name);
  if (device === undefined) return undefined;
  const uuid = await textOf(host, `/sys/class/block/${device.name}/dm/uuid`);
  return uuid?.startsWith('CRYPT-INTEGRITY-') ? device.below[0] : device.name;
}
