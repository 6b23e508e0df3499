import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { type OnDisk, readOnDisk } from '../on-disk.ts';
import type { Swap } from '../swaps.ts';

export const swap: Fact = {
  name: 'swap',
  look: async (host: HostAccess) => {
    const onDisk = await readOnDisk(host);
    if (onDisk.swaps === undefined) return unknown('cannot read /proc/swaps');
    return onDisk.swaps.map((each) => describe(each, onDisk)).sort((a, b) => (a.device < b.device ? -1 : 1));
  },
};

function describe(found: Swap, onDisk: OnDisk): { device: string; type: unknown } {
  const { device } = found;
  if (found.inMemory) return { device, type: 'zram' };
  const encrypted = onDisk.encrypted(found.place);
  if (encrypted === 'unknown') return { device, type: unknown(`cannot tell what disk ${device} lies on`) };
  return { device, type: encrypted ? 'encrypted' : 'plain' };
}
