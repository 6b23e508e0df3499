import test from 'ava';
import { moduleSigning } from '../../../../src/agent/collectors/boot/module-signing.ts';
import { tellOf } from '../fact.ts';

const PARAMETER = '/sys/module/module/parameters/sig_enforce';
const LOCKDOWN = '/sys/kernel/security/lockdown';
const KERNEL = { '/sys/module/kernel/version': '', '/proc/cmdline': 'quiet\n' };

for (const [what, files, told] of [
  ['sig_enforce is Y', { [PARAMETER]: 'Y\n' }, 'enforced'],
  ['sig_enforce is N', { [PARAMETER]: 'N\n' }, 'not-enforced'],
  [
    'sig_enforce is N, but the kernel is locked down',
    { [PARAMETER]: 'N\n', [LOCKDOWN]: 'none [integrity] confidentiality\n' },
    'enforced',
  ],
  [
    'sig_enforce is N, and the kernel is not locked down',
    { [PARAMETER]: 'N\n', [LOCKDOWN]: '[none] integrity confidentiality\n' },
    'not-enforced',
  ],
  ['a kernel that knows no signatures', { ...KERNEL, '/proc/modules': 'ext4 1 0 - Live 0x0\n' }, 'not-enforced'],
  ['a kernel that cannot load modules', KERNEL, 'no-modules'],
  ['a value that is neither', { ...KERNEL, [PARAMETER]: '\0\n', '/proc/modules': '' }, 'unknown'],
  ['no /proc', { '/sys/module/kernel/version': '' }, 'unknown'],
  ['no /sys', {}, 'unknown'],
] as const) {
  test(`${what}: ${told}`, async (t) => t.is((await tellOf(t, moduleSigning, files)).value, told));
}
