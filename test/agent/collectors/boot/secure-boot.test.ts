import test from 'ava';
import { secureBoot } from '../../../../src/agent/collectors/boot/secure-boot.ts';
import { tellOf } from '../fact.ts';

const VARS = '/sys/firmware/efi/efivars';
const SECURE = `${VARS}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c`;
const SETUP = `${VARS}/SetupMode-8be4df61-93ca-11d2-aa0d-00e098032b8c`;
const SHIM = `${VARS}/MokSBStateRT-605dab50-e046-4300-abb6-3dd810dd8b23`;
const OTHER = { [`${VARS}/BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c`]: '\x06\0\0\0\0\0' };

/** Boot service and runtime access; and kept over restarts, too. */
const FLEETING = '\x06\0\0\0';
const PERSISTENT = '\x07\0\0\0';

const STATES: Record<string, { files: Record<string, string>; told: string }> = {
  'on, with the keys of somebody': { files: { [SECURE]: `${FLEETING}\x01`, [SETUP]: `${FLEETING}\0` }, told: 'on' },
  off: { files: { [SECURE]: `${FLEETING}\0`, [SETUP]: `${FLEETING}\0` }, told: 'off' },
  'off, waiting for keys': { files: { [SECURE]: `${FLEETING}\0`, [SETUP]: `${FLEETING}\x01` }, told: 'setup-mode' },
  'on, but shim was told to check nothing': {
    files: { [SECURE]: `${FLEETING}\x01`, [SHIM]: `${FLEETING}\x01` },
    told: 'not-enforced',
  },
  'on, and a state of shim that root has forged': {
    files: { [SECURE]: `${FLEETING}\x01`, [SHIM]: `${PERSISTENT}\x01` },
    told: 'on',
  },
  'a firmware that knows nothing of it': { files: OTHER, told: 'unsupported' },
  'a variable without contents': { files: { [SECURE]: FLEETING }, told: 'unknown' },
  'an empty variable': { files: { [SECURE]: '' }, told: 'unknown' },
  'a value that is neither': { files: { [SECURE]: `${FLEETING}\x07` }, told: 'unknown' },
  'efivarfs not mounted': { files: { '/sys/firmware/efi/fw_platform_size': '64\n' }, told: 'unknown' },
  'a machine that a BIOS started': { files: { '/sys/firmware/acpi/tables/FACP': '' }, told: 'no-efi' },
  'a container that shows no firmware': { files: {}, told: 'unknown' },
};

for (const [what, { files, told }] of Object.entries(STATES)) {
  test(`${what}: ${told}`, async (t) => t.is((await tellOf(t, secureBoot, files)).value, told));
}

test('a variable that may not be read is unknown, with the reason', async (t) => {
  const denied = await tellOf(t, secureBoot, OTHER, {
    readText: () => Promise.reject(new Error('EACCES: permission denied')),
  });
  t.deepEqual(denied, { value: 'unknown', reasons: { secure_boot: 'EACCES: permission denied' } });
});
