import { readdir } from 'node:fs/promises';
import test from 'ava';
import { hdEncryption } from '../../../src/agent/collectors/hd-encryption.ts';
import { isFields } from '../../../src/core/value.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { plantLayout } from './disk-layout.ts';
import { hostInFolder, plant, saying, thisHost } from './host-in-folder.ts';

/** `[mountpoint, device, type, encrypted]`, besides the system's own plain root on /dev/vda. */
type Line = [string, string, string, boolean | 'unknown'];

const ROOT: Line = ['/', '/dev/vda', 'ext4', false];

const LAYOUTS: Record<string, { why: string; says: Line[] }> = {
  'btrfs-half': {
    why: 'half of this btrfs is on the plain vdc, although its mount names the encrypted half only',
    says: [['/mnt/x', '/dev/mapper/cx', 'btrfs', false]],
  },
  'btrfs-on-luks': {
    why: 'its one device is encrypted, at both places where it is mounted',
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'btrfs', true],
      ['/mnt/y', '/dev/mapper/cx', 'btrfs', true],
    ],
  },
  'luks-detached-header': {
    why: 'vdb shows no LUKS, because its header is elsewhere; the mapping above it encrypts all the same',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]],
  },
  'luks-integrity': {
    why: 'of the two crypt layers only the upper one encrypts, and that is enough',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]],
  },
  'luks-locked': { why: 'a locked volume is not mounted, so there is nothing to say of it', says: [] },
  'luks-on-loop': {
    why: 'the file behind the loop device is on a plain disk, but what is in it is encrypted before it gets there',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]],
  },
  'luks-on-lvm': {
    why: 'the volume is plain, the LUKS on it is not',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]],
  },
  'luks-partition': {
    why: 'one partition of the disk is encrypted, its neighbour is not',
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'ext2', true],
      ['/mnt/y', '/dev/vdb1', 'ext2', false],
    ],
  },
  'luks-under-raid1': {
    why: 'both halves of the mirror are encrypted',
    says: [['/mnt/x', '/dev/md0', 'ext2', true]],
  },
  luks: { why: 'LUKS 2 on the whole disk', says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]] },
  luks1: { why: 'LUKS 1 on the whole disk', says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]] },
  'lvm-on-luks': {
    why: 'both volumes lie on the encrypted physical volume, swap too',
    says: [
      ['/mnt/x', '/dev/mapper/vg-root', 'ext2', true],
      ['[SWAP]', '/dev/mapper/vg-swap', 'swap', true],
    ],
  },
  'lvm-span-half': {
    why: 'the volume spans an encrypted and a plain disk',
    says: [['/mnt/x', '/dev/mapper/vg-root', 'ext2', false]],
  },
  'lvm-thin-on-luks': {
    why: "the thin pool's data and metadata are both on the encrypted disk",
    says: [['/mnt/x', '/dev/mapper/vg-root', 'ext2', true]],
  },
  plain: { why: 'nothing between the file system and the disk', says: [['/mnt/x', '/dev/vdb', 'ext2', false]] },
  'raid1-luks': {
    why: 'what the mirror gets is encrypted already',
    says: [['/mnt/x', '/dev/mapper/cx', 'ext2', true]],
  },
  'swap-luks': { why: 'swap in LUKS', says: [['[SWAP]', '/dev/mapper/cs', 'swap', true]] },
  'swap-plain-random': {
    why: 'plain dm-crypt with a random key has no header anywhere; only its uuid tells',
    says: [['[SWAP]', '/dev/mapper/cs', 'swap', true]],
  },
  'swap-unencrypted': {
    why: 'what was in memory is on the disk as it was',
    says: [['[SWAP]', '/dev/vdb', 'swap', false]],
  },
  'swap-zram': { why: 'zram is memory, and no disk', says: [] },
  'swapfile-on-luks': {
    why: 'the swap file is as safe as the file system that it is on',
    says: [
      ['/mnt/x', '/dev/mapper/cx', 'ext2', true],
      ['[SWAP]', '/mnt/x/swap', 'swap', true],
    ],
  },
};

const entry = ([mountpoint, device, type, encrypted]: Line) => ({ mountpoint, device, type, encrypted });

test('every recorded layout has an expected answer', async (t) => {
  const recorded = (await readdir('test/fixtures/lsblk')).flatMap((name) => /^lsblk-(.+)\.json$/.exec(name)?.[1] ?? []);
  t.deepEqual(recorded.sort(), Object.keys(LAYOUTS).sort());
});

for (const [layout, { why, says }] of Object.entries(LAYOUTS)) {
  test(`layout ${layout}: ${why}`, async (t) => {
    const folder = await scratchFolder(t);
    await plantLayout(folder, layout);
    t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [ROOT, ...says].map(entry));
  });
}

const DISK = {
  '/sys/dev/block/8:1': '-> ../../devices/pci/block/sda/sda1',
  '/sys/class/block/sda1': '-> ../../devices/pci/block/sda/sda1',
  '/sys/class/block/sda': '-> ../../devices/pci/block/sda',
  '/sys/devices/pci/block/sda/sda1/partition': '1\n',
  '/sys/devices/pci/block/sda/removable': '0\n',
  '/proc/1/mountinfo': '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n',
};
const SYSTEM = entry(['/', '/dev/sda1', 'ext4', false]);

const withMounts = (...lines: string[]) => ({
  ...DISK,
  '/proc/1/mountinfo': `${DISK['/proc/1/mountinfo']}${lines.join('\n')}\n`,
});

const UNLISTED: Record<string, string[]> = {
  'virtual file systems': ['2 1 0:22 / /proc rw - proc proc rw', '3 1 0:5 / /tmp rw - tmpfs tmpfs rw'],
  'network file systems': ['2 1 0:40 / /net rw - nfs4 server:/x rw', '3 1 0:41 / /c rw - cifs //server/c rw'],
  'what is under /boot, the EFI partition included': [
    '2 1 8:1 / /boot rw - ext4 /dev/sda1 rw',
    '3 1 8:1 / /boot/efi rw - vfat /dev/sda1 rw',
  ],
  'bind mounts of what is listed already': ['2 1 8:1 /srv /var/lib/container rw - ext4 /dev/sda1 rw'],
  'read-only images, such as snaps': ['2 1 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro'],
};

for (const [what, lines] of Object.entries(UNLISTED)) {
  test(`${what}: left out`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, withMounts(...lines));
    t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [SYSTEM]);
  });
}

const STICK = {
  '/sys/dev/block/8:17': '-> ../../devices/pci/usb1/1-1/block/sdb/sdb1',
  '/sys/class/block/sdb1': '-> ../../devices/pci/usb1/1-1/block/sdb/sdb1',
  '/sys/class/block/sdb': '-> ../../devices/pci/usb1/1-1/block/sdb',
  '/sys/devices/pci/usb1/1-1/block/sdb/sdb1/partition': '1\n',
  '/sys/devices/pci/usb1/1-1/block/sdb/removable': '0\n',
};

test('a USB disk is left out, though it does not call itself removable', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...withMounts('2 1 8:17 / /backup rw - ext4 /dev/sdb1 rw'), ...STICK });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [SYSTEM]);
});

test('a USB disk that the system runs from is listed, with all that is on it', async (t) => {
  const folder = await scratchFolder(t);
  const mounts = '1 0 8:17 / / rw - ext4 /dev/root rw\n2 1 8:17 /home /home rw - ext4 /dev/sdb1 rw\n';
  await plant(folder, { ...STICK, '/proc/1/mountinfo': mounts });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [entry(['/', '/dev/sdb1', 'ext4', false])]);
});

test('a plain file behind a loop device is as safe as the file system that holds it', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...withMounts('2 1 7:0 / /vault rw - ext4 /dev/loop0 rw'),
    '/sys/dev/block/7:0': '-> ../../devices/virtual/block/loop0',
    '/sys/class/block/loop0': '-> ../../devices/virtual/block/loop0',
    '/sys/devices/virtual/block/loop0/loop/backing_file': '/srv/vault.img\n',
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['/vault', '/dev/loop0', 'ext4', false]),
  ]);
});

test('a single file that a container mounts from its host is no file system', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...withMounts('2 1 254:0 /usr/lib/os-release /run/host/os-release ro - ext4 /dev/vda rw'),
    '/run/host/os-release': 'ID=debian\n',
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [SYSTEM]);
});

test('dm-integrity without LUKS above it does not encrypt', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...withMounts('2 1 252:0 / /data rw - ext4 /dev/mapper/safe rw'),
    '/sys/dev/block/252:0': '-> ../../devices/virtual/block/dm-0',
    '/sys/class/block/dm-0': '-> ../../devices/virtual/block/dm-0',
    '/sys/devices/virtual/block/dm-0/dm/uuid': 'CRYPT-INTEGRITY-safe\n',
    '/sys/devices/virtual/block/dm-0/slaves/sda': '',
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['/data', '/dev/mapper/safe', 'ext4', false]),
  ]);
});

test('an XFS whose log or real-time section is on a plain disk is not encrypted', async (t) => {
  for (const beside of ['logdev=/dev/sda1', 'rtdev=/dev/sda1', 'logdev=/dev/mapper/safe,rtdev=/dev/sda1']) {
    const folder = await scratchFolder(t);
    await plant(folder, {
      ...withMounts(`2 1 252:0 / /data rw - xfs /dev/mapper/safe rw,attr2,${beside},noquota`),
      '/sys/dev/block/252:0': '-> ../../devices/virtual/block/dm-0',
      '/sys/class/block/dm-0': '-> ../../devices/virtual/block/dm-0',
      '/sys/devices/virtual/block/dm-0/dm/name': 'safe\n',
      '/sys/devices/virtual/block/dm-0/dm/uuid': 'CRYPT-LUKS2-safe\n',
      '/sys/devices/virtual/block/dm-0/slaves/sda': '',
    });
    t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
      SYSTEM,
      entry(['/data', '/dev/mapper/safe', 'xfs', false]),
    ]);
  }
});

test('a volume whose snapshot keeps what changes on a plain disk is not encrypted', async (t) => {
  const folder = await scratchFolder(t);
  const mapping = (name: string, uuid: string, slaves: string[], holders: string[]) => ({
    [`/sys/class/block/${name}`]: `-> ../../devices/virtual/block/${name}`,
    [`/sys/devices/virtual/block/${name}/dm/uuid`]: `${uuid}\n`,
    ...Object.fromEntries(slaves.map((each) => [`/sys/devices/virtual/block/${name}/slaves/${each}`, ''])),
    ...Object.fromEntries(holders.map((each) => [`/sys/devices/virtual/block/${name}/holders/${each}`, ''])),
  });
  await plant(folder, {
    ...withMounts('2 1 252:1 / /data rw - ext4 /dev/mapper/vg-root rw'),
    '/sys/dev/block/252:1': '-> ../../devices/virtual/block/dm-1',
    ...mapping('dm-0', 'CRYPT-LUKS2-cx', ['sda'], ['dm-2']),
    ...mapping('dm-1', 'LVM-root', ['dm-2'], []),
    ...mapping('dm-2', 'LVM-root-real', ['dm-0'], ['dm-1', 'dm-3']),
    ...mapping('dm-3', 'LVM-past', ['dm-2', 'dm-4'], []),
    ...mapping('dm-4', 'LVM-past-cow', ['sda'], ['dm-3']),
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['/data', '/dev/mapper/vg-root', 'ext4', false]),
  ]);
});

test('zram that writes back to a plain partition is listed as what it is', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...DISK,
    '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n/dev/zram0  partition\t65532\t0\t100\n',
    '/sys/class/block/zram0/backing_dev': '/dev/sda1\n',
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['[SWAP]', '/dev/zram0', 'swap', false]),
  ]);
});

test('where it cannot be told, encrypted is unknown: ZFS, an overlay as root, a device that sysfs hides', async (t) => {
  const folder = await scratchFolder(t);
  const mounts = [
    '1 0 0:30 / / rw - overlay overlay rw,upperdir=/x',
    '2 1 0:50 / /tank rw - zfs tank rw',
    '3 1 259:9 / /gone\\040away rw - ext4 /dev/nvme9n1 rw',
  ];
  await plant(folder, { '/proc/1/mountinfo': `${mounts.join('\n')}\n` });
  t.deepEqual(
    await hdEncryption.collect(hostInFolder(t, folder)),
    [
      ['/', 'overlay', 'overlay', 'unknown'] satisfies Line,
      ['/gone away', '/dev/nvme9n1', 'ext4', 'unknown'] satisfies Line,
      ['/tank', 'tank', 'zfs', 'unknown'] satisfies Line,
    ].map(([mountpoint, device, type, encrypted]) => ({ mountpoint, device, type, encrypted })),
  );
});

test('of ZFS it is told what zfs says of its data sets', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...withMounts('2 1 0:50 / /tank rw - zfs tank rw', '3 1 0:51 / /tank/open rw - zfs tank/open rw'),
    '/usr/bin/zfs': saying('tank\taes-256-gcm\ntank/open\toff'),
    '/usr/bin/zpool': saying('tank\t1G\n\t/dev/sda1\t1G'),
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['/tank', 'tank', 'zfs', true]),
    entry(['/tank/open', 'tank/open', 'zfs', false]),
  ]);
});

test('swap on a ZFS volume cannot be told', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    ...DISK,
    '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n/dev/zd0  partition\t65532\t0\t100\n',
    '/sys/class/block/zd0': '-> ../../devices/virtual/block/zd0',
    '/sys/devices/virtual/block/zd0/removable': '0\n',
  });
  t.deepEqual(await hdEncryption.collect(hostInFolder(t, folder)), [
    SYSTEM,
    entry(['[SWAP]', '/dev/zd0', 'swap', 'unknown']),
  ]);
});

test('without any mounts to be seen it is unknown', async (t) => {
  t.is(await hdEncryption.collect(hostInFolder(t, await scratchFolder(t))), 'unknown');
});

test('this machine: its root is listed once', async (t) => {
  const answer = await hdEncryption.collect(thisHost(t));
  const roots = Array.isArray(answer) ? answer.filter((each) => isFields(each) && each['mountpoint'] === '/') : [];
  t.is(roots.length, 1);
});
