import type { HostAccess } from '../../collector.ts';
import { nameOfPath } from '../block-devices.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { type OnDisk, readOnDisk } from '../on-disk.ts';
import type { Swap } from '../swaps.ts';

export const swap: Fact = {
  name: 'swap',
  look: async (host: HostAccess) => {
    const onDisk = await readOnDisk(host);
    if (onDisk.swaps === undefined) return unknown('cannot read /proc/swaps');
    const swaps = await Promise.all(onDisk.swaps.map((each) => describe(host, each, onDisk)));
    return swaps.sort((a, b) => (a.device < b.device ? -1 : 1));
  },
};

async function describe(host: HostAccess, found: Swap, onDisk: OnDisk): Promise<{ device: string; type: unknown }> {
  const device = await steadyName(host, found.path);
  if (found.inMemory) return { device, type: 'zram' };
  const encrypted = onDisk.encrypted(found.place);
  if (encrypted === 'unknown') return { device, type: unknown(`cannot tell what disk ${found.path} lies on`) };
  return { device, type: encrypted ? 'encrypted' : 'plain' };
}

/** Device-mapper gives its numbers in the order in which volumes are opened, which is another one after the next start. */
async function steadyName(host: HostAccess, path: string): Promise<string> {
  const name = path.startsWith('/dev/') ? await nameOfPath(host, path) : undefined;
  if (name === undefined || !name.startsWith('dm-')) return path;
  const mapping = (await textOf(host, `/sys/class/block/${name}/dm/name`))?.trim();
  return mapping === undefined ? path : `/dev/mapper/${mapping}`;
}
