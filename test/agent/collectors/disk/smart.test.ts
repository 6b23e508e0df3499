import test from 'ava';
import { smart } from '../../../../src/agent/collectors/disk/smart.ts';
import { tellOf } from '../fact.ts';
import { memory, saying } from '../host-in-folder.ts';
import { disk, stick } from './sysfs.ts';

const nvme = (log: object, passed = true) => ({
  smartctl: { exit_status: passed ? 0 : 8 },
  device: { name: '/dev/nvme0', type: 'nvme', protocol: 'NVMe' },
  model_name: 'Samsung SSD 970 EVO 500GB',
  serial_number: 'S466NX0M776250H',
  smart_status: { passed, nvme: { value: 0 } },
  nvme_smart_health_information_log: {
    critical_warning: 0,
    temperature: 35,
    available_spare: 99,
    available_spare_threshold: 10,
    percentage_used: 3,
    power_on_hours: 12798,
    media_errors: 7,
    ...log,
  },
});
const ata = (more: object) => ({
  device: { name: '/dev/sda', type: 'sat', protocol: 'ATA' },
  model_name: 'WDC WD20EFRX-68EUZN0',
  smart_status: { passed: true },
  ...more,
});
const devstat = (value: number) => ({
  ata_device_statistics: {
    pages: [
      {
        number: 7,
        name: 'Solid State Device Statistics',
        table: [{ offset: 8, name: 'Percentage Used Endurance Indicator', value }],
      },
    ],
  },
});
const messages = (string: string, exit_status: number) => ({
  smartctl: { exit_status, messages: [{ string, severity: 'error' }] },
});

const ANSWERS: Record<string, { says: object; told: object }> = {
  'NVMe, healthy, with old errors in its log': { says: nvme({}), told: { health: 'passed', wear: 'ok' } },
  'NVMe that is too warm just now, which smartctl calls a failure': {
    says: nvme({ critical_warning: 2, temperature: 88 }, false),
    told: { health: 'passed' },
  },
  'NVMe with degraded reliability': { says: nvme({ critical_warning: 4 }, false), told: { health: 'failing' } },
  'NVMe that has become read-only, and is too warm': {
    says: nvme({ critical_warning: 10 }, false),
    told: { health: 'failing' },
  },
  'NVMe, worn by 80 %': { says: nvme({ percentage_used: 80 }), told: { wear: 'worn' } },
  'NVMe, worn by 255 %': { says: nvme({ percentage_used: 255 }), told: { wear: 'worn-out' } },
  'NVMe without spare blocks': {
    says: nvme({ available_spare: 5, critical_warning: 1 }, false),
    told: { health: 'failing', wear: 'worn-out' },
  },
  'SATA, rotating': { says: ata({}), told: { model: 'WDC WD20EFRX-68EUZN0', health: 'passed' } },
  'SATA that fails': { says: ata({ smart_status: { passed: false } }), told: { health: 'failing' } },
  'SATA, flash, by its device statistics': { says: ata(devstat(81)), told: { health: 'passed', wear: 'worn' } },
  'SATA, flash, as smartctl 7.5 sums it up': {
    says: ata({ endurance_used: { current_percent: 12 } }),
    told: { wear: 'ok' },
  },
  'SAS, flash': {
    says: { model_name: 'HGST', smart_status: { passed: true }, scsi_percentage_used_endurance_indicator: 100 },
    told: { health: 'passed', wear: 'worn-out' },
  },
  'a virtual disk, which has none': {
    says: { model_name: 'QEMU QEMU HARDDISK', smart_support: { available: false } },
    told: { health: 'unsupported' },
  },
  'a volume of a RAID controller, which does not tell': {
    says: { model_name: 'Intel Raid 1 Volume', smartctl: { exit_status: 4 } },
    told: { health: 'unknown' },
  },
  'a disk that sleeps': { says: messages('Device is in STANDBY mode, exit(2)', 2), told: { health: 'unknown' } },
};

for (const [what, { says, told }] of Object.entries(ANSWERS)) {
  test(what, async (t) => {
    const { value } = await tellOf(t, smart, { ...disk('sda'), '/usr/bin/smartctl': saying(JSON.stringify(says)) });
    t.like(value, [{ device: '/dev/sda', ...told }]);
  });
}

test('nothing that changes by the hour, and no serial number, is told', async (t) => {
  const { value } = await tellOf(t, smart, { ...disk('sda'), '/usr/bin/smartctl': saying(JSON.stringify(nvme({}))) });
  t.deepEqual(value, [{ device: '/dev/sda', model: 'Samsung SSD 970 EVO 500GB', health: 'passed', wear: 'ok' }]);
});

test('why a disk does not tell is said in its own words', async (t) => {
  const files = {
    ...disk('sda'),
    '/usr/bin/smartctl': saying(JSON.stringify(messages('Device is in STANDBY mode, exit(2)', 2)), 2),
  };
  t.deepEqual((await tellOf(t, smart, files)).reasons, {
    'smart.0.health': 'it does not tell its health: Device is in STANDBY mode, exit(2)',
  });
});

test('built-in disks are asked, in order; not partitions, sticks, and the disks of virtual machines', async (t) => {
  const { value } = await tellOf(t, smart, {
    ...disk('sdb'),
    ...disk('nvme0n1'),
    ...stick('sdc'),
    ...disk('vda'),
    ...disk('sda1'),
    ...disk('loop0'),
    '/usr/bin/smartctl':
      '#!/bin/sh\nfor last; do :; done\necho "{\\"model_name\\":\\"$last\\",\\"smart_status\\":{\\"passed\\":true}}"\n',
  });
  t.deepEqual(value, [
    { device: '/dev/nvme0n1', model: '/dev/nvme0n1', health: 'passed' },
    { device: '/dev/sdb', model: '/dev/sdb', health: 'passed' },
  ]);
});

test('without such disks there is nothing to tell; else it takes smartctl and root', async (t) => {
  t.is((await tellOf(t, smart, disk('vda'))).value, undefined);
  t.deepEqual((await tellOf(t, smart, disk('sda'))).reasons, { smart: 'smartctl (smartmontools) is not installed' });
  const installed = { ...disk('sda'), '/usr/bin/smartctl': saying('{}') };
  t.deepEqual((await tellOf(t, smart, installed, { isRoot: false })).reasons, {
    smart: 'only root may ask disks for their health',
  });
  t.deepEqual((await tellOf(t, smart, {})).reasons, { smart: 'sysfs does not show the disks' });
});

test('what was told is told again for a day; a sleeping disk is asked again', async (t) => {
  const tools = memory();
  const ask = async (says: object) => {
    const files = { ...disk('sda'), '/usr/bin/smartctl': saying(JSON.stringify(says)) };
    return (await tellOf(t, smart, files, {}, tools)).value;
  };
  t.like(await ask(messages('Device is in STANDBY mode, exit(2)', 2)), [{ health: 'unknown' }]);
  t.like(await ask(ata({})), [{ health: 'passed' }]);
  t.like(await ask(ata({ smart_status: { passed: false } })), [{ health: 'passed' }]);
});

for (const [what, program] of [
  ['prints nothing', saying('')],
  ['prints text', saying('smartctl 7.3 2022-02-28 r5338')],
  ['prints JSON that is cut off', saying('{"smart_status":{"passed":tr')],
  ['prints a list', saying('[1,2]')],
  [
    'prints values of the wrong kind',
    saying('{"smart_status":{"passed":"yes"},"nvme_smart_health_information_log":[1]}'),
  ],
  ['prints bytes', "#!/bin/sh\nprintf '\\000\\377\\001'\n"],
  ['prints megabytes', '#!/bin/sh\nhead -c 3000000 /dev/zero\n'],
] as const) {
  test(`a smartctl that ${what}: its health is unknown`, async (t) => {
    const { value } = await tellOf(t, smart, { ...disk('sda'), '/usr/bin/smartctl': program });
    t.deepEqual(value, [{ device: '/dev/sda', health: 'unknown' }]);
  });
}
