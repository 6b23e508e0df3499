import test from 'ava';
import { tpm } from '../../../../src/agent/collectors/boot/tpm.ts';
import { tellOf } from '../fact.ts';

const ACPI = { '/sys/firmware/acpi/tables/FACP': '' };

for (const [what, files, told] of [
  ['a TPM 2.0', { '/sys/class/tpm/tpm0/tpm_version_major': '2\n' }, '2.0'],
  ['a TPM 1.2', { '/sys/class/tpm/tpm0/tpm_version_major': '1\n' }, '1.2'],
  [
    'a TPM 1.2 under an old kernel',
    { '/sys/class/tpm/tpm0/device/caps': 'Manufacturer: 0x49465800\nTCG version: 1.2\nFirmware version: 4.40\n' },
    '1.2',
  ],
  ['a TPM of which the kernel does not tell the version', { '/sys/class/tpm/tpm0/dev': '10:224\n' }, 'unknown'],
  ['none, and none that the firmware knows of', ACPI, 'none'],
  [
    'none that the kernel shows, though the firmware has one',
    { ...ACPI, '/sys/firmware/acpi/tables/TPM2': '' },
    'unknown',
  ],
  ['neither to be seen', {}, 'unknown'],
] as const) {
  test(`${what}: ${told}`, async (t) => t.is((await tellOf(t, tpm, files)).value, told));
}
