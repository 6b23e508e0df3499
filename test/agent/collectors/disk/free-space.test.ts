import test from 'ava';
import { freeSpace, lowBelow } from '../../../../src/agent/collectors/disk/free-space.ts';
import { parseDf } from '../../../../src/agent/collectors/disk/parse-df.ts';
import { isFields } from '../../../../src/core/value.ts';
import { tell, tellOf } from '../fact.ts';
import { memory, saying, thisHost } from '../host-in-folder.ts';
import { disk, MOUNTINFO, mounted, stick } from './sysfs.ts';

const GIB = 1024 ** 3;

for (const [size, limit, why] of [
  [100 * GIB, 5 * GIB, '5 %'],
  [10 * GIB, GIB, 'at least 1 GiB'],
  [GIB, 0.2 * GIB, 'but not more than a fifth of a small one'],
  [10_000 * GIB, 20 * GIB, 'at most 20 GiB'],
] as const) {
  test(`of ${size / GIB} GiB less than ${limit / GIB} are low: ${why}`, (t) => t.is(lowBelow(size), limit));
}

const HEADER = '    1B-blocks        Avail Mounted on\n';
const row = (size: number, available: number, target: string) => ` ${size} ${Math.round(available)} ${target}\n`;
const df = (...rows: string[]) => saying(HEADER + rows.join(''));

const MACHINE = {
  ...disk('sda'),
  ...stick('sdb'),
  '/sys/dev/block/8:0': '-> ../../devices/pci0000:00/block/sda',
  '/sys/dev/block/8:1': '-> ../../devices/pci0000:00/block/sda',
  '/sys/dev/block/8:16': '-> ../../devices/pci0000:00/usb1/1-1/block/sdb',
};

test('file systems on disks are judged, /boot too, sorted by mount point', async (t) => {
  const mounts = [
    mounted('/', 'ext4', '/dev/sda', '8:0'),
    mounted('/boot', 'ext4', '/dev/sda', '8:1'),
    mounted('/a\\040b', 'ext4', '/dev/sda', '8:1'),
  ];
  const { value } = await tellOf(t, freeSpace, {
    ...MACHINE,
    [MOUNTINFO]: mounts.join(''),
    '/usr/bin/df': df(row(100 * GIB, 4 * GIB, '/'), row(GIB, GIB / 2, '/boot'), row(100 * GIB, 50 * GIB, '/a b')),
  });
  t.deepEqual(value, [
    { mountpoint: '/', low: true },
    { mountpoint: '/a b', low: false },
    { mountpoint: '/boot', low: false },
  ]);
});

test('sticks, what is read-only, in memory, on the network, or mounted only while it is used: left out', async (t) => {
  const mounts = [
    mounted('/', 'ext4', '/dev/sda', '8:0'),
    mounted('/backup', 'ext4', '/dev/sdb', '8:16'),
    mounted('/usr', 'ext4', '/dev/sda', '8:1', 'ro'),
    mounted('/tmp', 'tmpfs', 'tmpfs', '0:30'),
    mounted('/net', 'nfs4', 'server:/x', '0:31'),
    mounted('/boot', 'autofs', 'systemd-1', '0:32'),
    mounted('/boot', 'vfat', '/dev/sda', '8:1'),
  ];
  const { value } = await tellOf(t, freeSpace, {
    ...MACHINE,
    [MOUNTINFO]: mounts.join(''),
    '/usr/bin/df': df(row(100 * GIB, 50 * GIB, '/')),
  });
  t.deepEqual(value, [{ mountpoint: '/', low: false }]);
});

test('what df does not tell of is unknown, and the others are told', async (t) => {
  const told = await tellOf(t, freeSpace, {
    ...MACHINE,
    [MOUNTINFO]: mounted('/', 'ext4', '/dev/sda', '8:0') + mounted('/data', 'ext4', '/dev/sda', '8:1'),
    '/usr/bin/df': saying(`${HEADER}${row(100 * GIB, 50 * GIB, '/')}`, 1),
  });
  t.deepEqual(told.value, [
    { mountpoint: '/', low: false },
    { mountpoint: '/data', low: 'unknown' },
  ]);
  t.deepEqual(told.reasons, { 'free_space.1.low': 'df does not tell of /data' });
});

test('on the edge it does not flap: low stays low until there is half as much again', async (t) => {
  const tools = memory();
  const at = async (free: number) => {
    const files = { ...MACHINE, [MOUNTINFO]: mounted('/', 'ext4', '/dev/sda', '8:0') };
    const { value } = await tellOf(
      t,
      freeSpace,
      { ...files, '/usr/bin/df': df(row(100 * GIB, free * GIB, '/')) },
      {},
      tools,
    );
    const [first] = Array.isArray(value) ? value : [];
    return isFields(first) ? first['low'] : undefined;
  };
  const answers = [];
  for (const free of [6, 4.9, 5.1, 7.4, 7.6, 5.1]) answers.push(await at(free));
  t.deepEqual(answers, [false, true, true, true, false, false]);
});

test('without df, or without mounts to be seen, it is unknown', async (t) => {
  t.deepEqual(
    (await tellOf(t, freeSpace, { ...MACHINE, [MOUNTINFO]: mounted('/', 'ext4', '/dev/sda', '8:0') })).reasons,
    {
      free_space: 'df is not installed',
    },
  );
  t.deepEqual((await tellOf(t, freeSpace, {})).reasons, { free_space: 'cannot read what is mounted' });
});

for (const [what, text] of [
  ['nothing', ''],
  ['no sizes (a file system that has none)', `${HEADER}            -            - /proc\n`],
  ['a size of 0', `${HEADER}0 0 /sys\n`],
  ['a line that is cut off', `${HEADER}107374182400 536`],
  ['bytes', '\0\u0001\uFFFD'.repeat(100)],
] as const) {
  test(`df prints ${what}: no file system is told`, (t) => t.deepEqual(parseDf(text), []));
}

test('an enormous output of df is read', (t) => {
  t.is(parseDf(`${HEADER}${row(2 * GIB, GIB, '/x').repeat(100_000)}`).length, 100_000);
});

test('this machine: the real df tells of its root', async (t) => {
  const { value } = await tell(freeSpace, thisHost(t));
  const root = Array.isArray(value) ? value.find((each) => isFields(each) && each['mountpoint'] === '/') : undefined;
  t.true(isFields(root) && typeof root['low'] === 'boolean');
});
