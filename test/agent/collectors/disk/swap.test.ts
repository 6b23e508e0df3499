import { readdir } from 'node:fs/promises';
import test from 'ava';
import { swap } from '../../../../src/agent/collectors/disk/swap.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { plantLayout } from '../disk-layout.ts';
import { tell, tellOf } from '../fact.ts';
import { hostInFolder } from '../host-in-folder.ts';
import { disk, MOUNTINFO, mapping, mounted } from './sysfs.ts';

const HEADER = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
const line = (path: string, kind = 'partition') => `${path}                               ${kind}\t32764\t\t0\t\t-2\n`;

const WITH_SWAP: Record<string, { device: string; type: string }[]> = {
  'lvm-on-luks': [{ device: '/dev/mapper/vg-swap', type: 'encrypted' }],
  'swap-luks': [{ device: '/dev/mapper/cs', type: 'encrypted' }],
  'swap-plain-random': [{ device: '/dev/mapper/cs', type: 'encrypted' }],
  'swap-unencrypted': [{ device: '/dev/vdb', type: 'plain' }],
  'swap-zram': [{ device: '/dev/zram0', type: 'zram' }],
  'swapfile-on-luks': [{ device: '/mnt/x/swap', type: 'encrypted' }],
};

test('of each recorded layout every swap is told, and of most that there is none', async (t) => {
  const layouts = (await readdir('test/fixtures/lsblk')).flatMap((name) => /^lsblk-(.+)\.json$/.exec(name)?.[1] ?? []);
  t.true(layouts.length > 20);
  for (const layout of layouts) {
    const folder = await scratchFolder(t);
    await plantLayout(folder, layout);
    const { value } = await tell(swap, hostInFolder(t, folder));
    t.deepEqual(value, WITH_SWAP[layout] ?? [], layout);
  }
});

test('a swap file is as safe as the file system that it lies on, and the list is sorted', async (t) => {
  const { value } = await tellOf(t, swap, {
    ...disk('sda'),
    ...mapping('dm-0', 'home', 'CRYPT-LUKS2-1-home', 'sda'),
    '/sys/dev/block/8:0': '-> ../../devices/pci0000:00/block/sda',
    '/sys/dev/block/252:0': '-> ../../devices/virtual/block/dm-0',
    [MOUNTINFO]: mounted('/', 'ext4', '/dev/sda', '8:0') + mounted('/home', 'ext4', '/dev/mapper/home', '252:0'),
    '/proc/swaps': HEADER + line('/swap\\040file', 'file') + line('/home/swap', 'file'),
  });
  t.deepEqual(value, [
    { device: '/home/swap', type: 'encrypted' },
    { device: '/swap file', type: 'plain' },
  ]);
});

test('zram that writes back to a plain partition is plain', async (t) => {
  const { value } = await tellOf(t, swap, {
    ...disk('sda'),
    [MOUNTINFO]: '',
    '/proc/swaps': HEADER + line('/dev/zram0'),
    '/sys/class/block/zram0/backing_dev': '/dev/sda\n',
  });
  t.deepEqual(value, [{ device: '/dev/zram0', type: 'plain' }]);
});

test('swap on a ZFS volume may be encrypted by ZFS: it is unknown', async (t) => {
  const told = await tellOf(t, swap, { ...disk('zd0'), [MOUNTINFO]: '', '/proc/swaps': HEADER + line('/dev/zd0') });
  t.deepEqual(told.value, [{ device: '/dev/zd0', type: 'unknown' }]);
  t.deepEqual(told.reasons, { 'swap.0.type': 'cannot tell what disk /dev/zd0 lies on' });
});

test('swap is told where mounts cannot be read, and unknown where the list cannot', async (t) => {
  t.deepEqual((await tellOf(t, swap, { ...disk('sda'), '/proc/swaps': HEADER + line('/dev/sda') })).value, [
    { device: '/dev/sda', type: 'plain' },
  ]);
  t.deepEqual(await tellOf(t, swap, {}), { value: 'unknown', reasons: { swap: 'cannot read /proc/swaps' } });
});

test('a list that is cut off or not one of swaps gives no devices', async (t) => {
  for (const text of ['', 'Filename', `${HEADER}\n\n`])
    t.deepEqual((await tellOf(t, swap, { '/proc/swaps': text })).value, []);
});
