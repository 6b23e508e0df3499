import type { FactDoc } from '../doc.ts';
import { kernelLockdown } from './kernel-lockdown.ts';

export const bootDocs: readonly FactDoc[] = [
  {
    fact: kernelLockdown,
    tells: 'how far the kernel refuses even root to change it while it runs',
    reads: ['`/sys/kernel/security/lockdown`'],
    shape: '"none" | "integrity" | "confidentiality"',
    cost: '1 ms',
    tested: { 'debian-12': 'output', 'debian-13': 'output', ubuntu: 'output', arch: 'no', fedora: 'output' },
    sources: ['kernel_lockdown(7)'],
  },
];
