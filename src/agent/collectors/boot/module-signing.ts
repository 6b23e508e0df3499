import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, namesIn, textOf } from '../lenient.ts';
import { parseLockdown } from './kernel-lockdown.ts';

export const moduleSigning: Fact = {
  name: 'module_signing',
  look: async (host: HostAccess) => {
    // Under lockdown the kernel takes signed modules only, whatever the parameter says (kernel_lockdown(7)).
    const lockdown = parseLockdown((await textOf(host, '/sys/kernel/security/lockdown')) ?? '');
    if (lockdown === 'integrity' || lockdown === 'confidentiality') return 'enforced';
    const enforced = (await textOf(host, '/sys/module/module/parameters/sig_enforce'))?.trim();
    if (enforced === 'Y' || enforced === '1') return 'enforced';
    if (enforced === 'N' || enforced === '0') return 'not-enforced';
    return enforced === undefined ? withoutParameter(host) : unknown('cannot make out what sig_enforce says');
  },
};

async function withoutParameter(host: HostAccess): Promise<unknown> {
  const modules = await namesIn(host, '/sys/module');
  if (modules === undefined || modules.length === 0) return unknown('/sys/module is not to be seen');
  // A kernel that cannot load modules has no list of them (proc(5)).
  if ((await factsOf(host, '/proc/modules')) === undefined) {
    return (await factsOf(host, '/proc/cmdline')) === undefined ? unknown('/proc is not to be seen') : 'no-modules';
  }
  return 'not-enforced';
}
