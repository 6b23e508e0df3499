import test from 'ava';
import type { DiskFacts, HeaderFacts } from '../../../../src/agent/wipe/disks/disk-facts.ts';
import { hasNoSlot } from '../../../../src/agent/wipe/disks/erase-header.ts';
import { planErase } from '../../../../src/agent/wipe/disks/plan-erase.ts';
import { parseCrypttabHeaders } from '../../../../src/agent/wipe/disks/read-disk-facts.ts';

const header = (path: string, more: Partial<HeaderFacts> = {}): HeaderFacts => ({
  path,
  isFile: false,
  version: 2,
  open: [],
  removable: false,
  system: false,
  ...more,
});
const NOTHING: DiskFacts = { headers: [], withoutHeader: [], otherMappings: [], plain: [], elsewhere: [], missing: [] };

test('all headers of the machine go, open or not; what the system runs from goes last', (t) => {
  const { headers, will } = planErase({
    ...NOTHING,
    headers: [
      header('/dev/vda3', { open: ['root'], system: true }),
      header('/dev/vdc'),
      header('/boot/header.img', { isFile: true, version: 1 }),
      header('/dev/vdb1', { open: ['swap'] }),
    ],
  });
  t.deepEqual(
    headers.map(({ path }) => path),
    ['/boot/header.img', '/dev/vdb1', '/dev/vdc', '/dev/vda3'],
  );
  t.deepEqual(will.slice(1), [
    'erase all key slots of /boot/header.img (LUKS 1; a header in a file; not open)',
    'erase all key slots of /dev/vdb1 (LUKS 2; open as swap)',
    'erase all key slots of /dev/vdc (LUKS 2; not open)',
    'erase all key slots of /dev/vda3 (LUKS 2; open as root; the running system is on it: last)',
    'power the machine off',
  ]);
});

test('what cannot be reached is said: sticks, headers elsewhere, other ciphers, what is not encrypted, backups', (t) => {
  const { headers, cannot } = planErase({
    headers: [header('/dev/vda3', { system: true }), header('/dev/sdb1', { removable: true })],
    withoutHeader: ['vault'],
    otherMappings: [{ name: 'cryptswap', kind: 'plain' }],
    plain: ['/data (/dev/sdc1)', 'swap on /dev/sdc2'],
    elsewhere: ['the pool tank: what ZFS itself encrypts keeps its keys'],
    missing: ['/dev/disk/by-label/keys'],
  });
  t.is(headers.length, 1);
  const said = cannot.join('\n');
  for (const word of [
    '/dev/sdb1',
    '/dev/mapper/vault',
    'cryptswap',
    'kind plain',
    '/data (/dev/sdc1)',
    '/dev/sdc2',
    'tank',
  ])
    t.true(said.includes(word), word);
  t.regex(said, /\/dev\/disk\/by-label\/keys/);
  t.regex(said, /backups of LUKS headers/);
  t.regex(said, /in memory, until the power is off/);
});

test('a machine without any header is not powered off as if it were wiped', (t) => {
  const plan = planErase({ ...NOTHING, headers: [header('/dev/sdb1', { removable: true })] });
  t.deepEqual(plan.will, []);
  t.regex(plan.refused ?? '', /no disk of this machine holds a LUKS header/);
});

/** `cryptsetup luksDump` (2.6.1) of LUKS1, shortened. */
const LUKS1 = `LUKS header information for l1\n\nVersion:       \t1\n${[0, 1, 2, 3, 4, 5, 6, 7].map((slot) => `Key Slot ${slot}: DISABLED\n`).join('')}`;

for (const [what, dump, version, empty] of [
  ['LUKS1 with all slots disabled', LUKS1, 1, true],
  ['LUKS1 with one enabled', LUKS1.replace('3: DISABLED', '3: ENABLED'), 1, false],
  ['no dump at all', '', 1, false],
  ['LUKS2 without slots', '{"keyslots":{\n  },"tokens":{}}', 2, true],
  ['LUKS2 with the slot of a re-encryption', '{"keyslots":{"1":{"type":"reencrypt"}}}', 2, false],
  ['half a dump', '{"keyslots":{', 2, false],
] as const) {
  test(`${what}: ${empty ? 'nothing is left' : 'not empty'}`, (t) => {
    t.is(hasNoSlot(dump, version), empty);
  });
}

test('headers that crypttab names are found', (t) => {
  const crypttab = `# <target> <source> <key> <options>
root UUID=1 none luks,discard
vault /dev/sdb none luks,header=/boot/vault.img,noauto
  usb  /dev/sdc  none  header=/keys/h:LABEL=stick
#old /dev/sdd none header=/old
`;
  t.deepEqual(parseCrypttabHeaders(crypttab), ['/boot/vault.img', '/keys/h:LABEL=stick']);
});
