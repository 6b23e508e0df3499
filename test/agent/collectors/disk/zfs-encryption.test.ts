import test from 'ava';
import { zfsEncryption } from '../../../../src/agent/collectors/disk/zfs-encryption.ts';
import { tellOf } from '../fact.ts';
import { saying } from '../host-in-folder.ts';
import { disk, MOUNTINFO, mapping, mounted } from './sysfs.ts';

const dataset = (mountpoint: string, name: string) => mounted(mountpoint, 'zfs', name, '0:50', 'rw,xattr,noacl');
const get = (values: Record<string, string>) =>
  saying(
    Object.entries(values)
      .map(([name, value]) => `${name}\t${value}`)
      .join('\n'),
  );
/** As `zpool list -vHLP` prints a mirror: tabs only, devices indented by one. */
const list = (...devices: string[]) =>
  saying(
    [
      'rpool\t127G\t10G\t117G\t-\t-\t1%\t7%\t1.00x\tONLINE\t-',
      '\tmirror-0\t127G\t10G\t117G\t-\t-\t1%\t7.8%\t-\tONLINE',
      ...devices.map((device) => `\t${device}\t-\t-\t-\t-\t-\t-\t-\t-\tONLINE`),
    ].join('\n'),
  );

const MACHINE = {
  ...disk('sda'),
  ...disk('sdb'),
  ...mapping('dm-0', 'c1', 'CRYPT-LUKS2-1-c1', 'sda'),
  ...mapping('dm-1', 'c2', 'CRYPT-LUKS2-2-c2', 'sdb'),
  [MOUNTINFO]: dataset('/', 'rpool/ROOT/debian') + dataset('/home', 'rpool/home'),
};

test('ZFS encrypts some data sets and not others', async (t) => {
  const { value } = await tellOf(t, zfsEncryption, {
    ...MACHINE,
    '/usr/bin/zfs': get({ 'rpool/ROOT/debian': 'off', 'rpool/home': 'aes-256-gcm' }),
    '/usr/bin/zpool': list('/dev/sda', '/dev/sdb'),
  });
  t.deepEqual(value, [
    { mountpoint: '/', dataset: 'rpool/ROOT/debian', encrypted: false },
    { mountpoint: '/home', dataset: 'rpool/home', encrypted: true },
  ]);
});

test('on LUKS all are encrypted, though ZFS says "off"; half of a mirror is not enough', async (t) => {
  const off = { '/usr/bin/zfs': get({ 'rpool/ROOT/debian': 'off', 'rpool/home': '-' }) };
  const encrypted = async (...devices: string[]) => {
    const { value } = await tellOf(t, zfsEncryption, { ...MACHINE, ...off, '/usr/bin/zpool': list(...devices) });
    return value;
  };
  t.like(await encrypted('/dev/dm-0', '/dev/dm-1'), [{ encrypted: true }, { encrypted: true }]);
  t.like(await encrypted('/dev/mapper/c1', '/dev/sdb'), [{ encrypted: false }, { encrypted: false }]);
});

test('a pool that lies in a file: unknown, unless ZFS encrypts', async (t) => {
  const { value } = await tellOf(t, zfsEncryption, {
    ...MACHINE,
    '/usr/bin/zfs': get({ 'rpool/ROOT/debian': 'off', 'rpool/home': 'aes-256-gcm' }),
    '/usr/bin/zpool': list('/srv/pool.img'),
  });
  t.like(value, [{ encrypted: 'unknown' }, { encrypted: true }]);
});

test('where the pool or the data set cannot be seen it is unknown, but an encrypted one is told', async (t) => {
  const zfs = { '/usr/bin/zfs': get({ 'rpool/ROOT/debian': 'off', 'rpool/home': 'aes-256-gcm' }) };
  t.like((await tellOf(t, zfsEncryption, { ...MACHINE, ...zfs })).value, [
    { encrypted: 'unknown' },
    { encrypted: true },
  ]);
  const told = await tellOf(t, zfsEncryption, {
    ...MACHINE,
    '/usr/bin/zfs': saying("cannot open 'rpool': permission denied", 1),
    '/usr/bin/zpool': list('/dev/sda'),
  });
  t.like(told.value, [{ encrypted: 'unknown' }, { encrypted: 'unknown' }]);
  t.like(told.reasons, { 'zfs_encryption.0.encrypted': 'zfs does not tell of it' });
  t.deepEqual((await tellOf(t, zfsEncryption, MACHINE)).reasons, { zfs_encryption: 'zfs is not installed' });
});

test('containers and snapshots come and go, and are left out; without ZFS there is nothing to tell', async (t) => {
  const mounts = [
    dataset('/var/lib/docker/zfs/graph/0a1b', 'rpool/docker/0a1b'),
    dataset('/home/.zfs/snapshot/monday', 'rpool/home@monday'),
    mounted('/', 'ext4', '/dev/sda', '8:0'),
  ];
  t.is((await tellOf(t, zfsEncryption, { ...MACHINE, [MOUNTINFO]: mounts.join('') })).value, undefined);
});
