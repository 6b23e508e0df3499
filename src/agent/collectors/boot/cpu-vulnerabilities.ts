import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';

const FOLDER = '/sys/devices/system/cpu/vulnerabilities';

type State = 'vulnerable' | 'mitigated' | 'unclear' | 'not affected';

export const cpuVulnerabilities: Fact = {
  name: 'cpu_vulnerabilities',
  look: async (host: HostAccess) => {
    const names = await namesIn(host, FOLDER);
    if (names === undefined || names.length === 0) return unknown(`the kernel does not tell (${FOLDER})`);
    const states = await Promise.all(
      names.map(async (name) => ({ name, state: stateOf((await textOf(host, `${FOLDER}/${name}`)) ?? '') })),
    );
    const having = (wanted: State) => states.filter(({ state }) => state === wanted).map(({ name }) => name);
    return { mitigated: having('mitigated'), unclear: having('unclear'), vulnerable: having('vulnerable') };
  },
};

/**
 * One line of the kernel's (Documentation/ABI/testing/sysfs-devices-system-cpu, and admin-guide/hw-vuln).
 * `SMT vulnerable` after a mitigation is what remains by choice; another part that says `Vulnerable` (`BHI: Vulnerable`, `VMX: vulnerable`) is a hole.
 */
export function stateOf(line: string): State {
  const [first = '', ...rest] = line.trim().split(/[;,] /);
  const state = first.replace(/^KVM: /, '');
  if (state === 'Not affected') return 'not affected';
  if (state.startsWith('Vulnerable')) return 'vulnerable';
  if (rest.some((part) => /^[A-Za-z-]+: vulnerable/i.test(part))) return 'vulnerable';
  // itlb_multihit, of a kernel without the KVM that it could be used through.
  if (state.startsWith('Mitigation') || state === 'Processor vulnerable') return 'mitigated';
  return 'unclear';
}
