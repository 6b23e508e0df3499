import type { Fields, Value } from '../../../src/core/value.ts';
import { judgeTable, type Rows } from './judge-table.ts';

const FAILED = { boot: { stdout: '', stderr: 'boom', returncode: 1 } };
const boot = (fact: string, value: Value): Fields => ({ boot: { [fact]: value } });

/** Facts that are one word. */
const words = (fact: string, answers: Record<string, 'pass' | 'fail' | 'not for it'>): Rows => ({
  ...Object.fromEntries(Object.entries(answers).map(([word, answer]) => [word, [boot(fact, word), answer] as const])),
  'cannot be told': [boot(fact, 'unknown'), 'unknown'],
  'no such fact': [{ boot: {} }, 'unknown'],
  'the collector failed': [FAILED, 'unknown'],
});

judgeTable(
  'secure-boot-off',
  words('secure_boot', {
    on: 'pass',
    off: 'fail',
    'setup-mode': 'fail',
    'not-enforced': 'fail',
    'no-efi': 'not for it',
    unsupported: 'not for it',
  }),
);
judgeTable(
  'kernel-lockdown-off',
  words('kernel_lockdown', { none: 'fail', integrity: 'pass', confidentiality: 'pass' }),
);
judgeTable(
  'module-signing-off',
  words('module_signing', { enforced: 'pass', 'not-enforced': 'fail', 'no-modules': 'pass' }),
);
judgeTable('tpm-missing', words('tpm', { '2.0': 'pass', '1.2': 'fail', none: 'fail' }));

const loader = (answer: Value) => boot('bootloader', { loader: 'grub', protected: answer });
judgeTable('bootloader-unprotected', {
  protected: [loader(true), 'pass'],
  open: [loader(false), 'fail'],
  'cannot be told': [loader('unknown'), 'unknown'],
  'no boot loader was found': [boot('bootloader', 'unknown'), 'unknown'],
  'the collector failed': [FAILED, 'unknown'],
});

const ports = (...answers: Value[]) =>
  boot('thunderbolt', { bolt: true, ports: answers.map((each) => ({ domain: 'domain0', protected: each })) });
judgeTable('thunderbolt-unprotected', {
  'no Thunderbolt': [{ boot: {} }, 'not for it'],
  'all are protected': [ports(true, true), 'pass'],
  'one is not': [ports(true, false), 'fail'],
  'one is not, and one cannot be told': [ports('unknown', false), 'fail'],
  'one cannot be told': [ports(true, 'unknown'), 'unknown'],
  'none can be told': [boot('thunderbolt', 'unknown'), 'unknown'],
});

const UPDATE = { device: 'System Firmware', version: '1', available: '2' };
judgeTable('firmware-update-available', {
  none: [boot('firmware', { hsi: 2, updates: [] }), 'pass'],
  one: [boot('firmware', { hsi: 2, updates: [UPDATE] }), 'fail'],
  'the lists are old': [boot('firmware', { hsi: 2, updates: 'unknown' }), 'unknown'],
  'fwupd is not installed': [boot('firmware', 'unknown'), 'unknown'],
  'the collector failed': [FAILED, 'unknown'],
});
judgeTable('firmware-unprotected', {
  'level 1': [boot('firmware', { hsi: 1, updates: [] }), 'pass'],
  'level 0': [boot('firmware', { hsi: 0, updates: 'unknown' }), 'fail'],
  'cannot be told': [boot('firmware', { hsi: 'unknown', updates: [] }), 'unknown'],
  'a virtual machine': [boot('firmware', { updates: [] }), 'not for it'],
  'fwupd is not installed': [boot('firmware', 'unknown'), 'not for it'],
});

const reboot = (required: Value) => boot('reboot_required', { required, because: [], running: '6.1.0-18-amd64' });
judgeTable('reboot-required', {
  no: [reboot(false), 'pass'],
  yes: [reboot(true), 'fail'],
  'cannot be told': [reboot('unknown'), 'unknown'],
  'nothing can be told': [boot('reboot_required', 'unknown'), 'unknown'],
  'a container': [{ boot: {} }, 'not for it'],
});

const cpu = (...vulnerable: string[]) => boot('cpu_vulnerabilities', { mitigated: ['l1tf'], unclear: [], vulnerable });
judgeTable('cpu-vulnerable', {
  'all are closed': [cpu(), 'pass'],
  'one is open': [cpu('mds'), 'fail'],
  'the kernel does not tell': [boot('cpu_vulnerabilities', 'unknown'), 'unknown'],
  'the collector failed': [FAILED, 'unknown'],
});
