import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';

const FILE = '/sys/kernel/security/lockdown';

export const kernelLockdown: Fact = {
  name: 'kernel_lockdown',
  look: async (host: HostAccess) => {
    const text = await host.readText(FILE);
    // The folder is there wherever securityfs is mounted: without the file the kernel was built without lockdown, or it was not asked for (lsm=).
    if (text !== undefined) return parseLockdown(text) ?? unknown(`cannot make out what ${FILE} says`);
    const mounted = (await host.list('/sys/kernel/security'))?.length;
    return mounted ? 'none' : unknown('securityfs is not mounted');
  },
};

/** `none [integrity] confidentiality`: the one in brackets counts (kernel_lockdown(7)). */
export function parseLockdown(text: string): string | undefined {
  return /\[(none|integrity|confidentiality)\]/.exec(text)?.[1];
}
