import test from 'ava';
import { parseMounts } from '../../../../src/agent/collectors/mounts.ts';
import { kinOf, onBtrfs, parseSubvolumes, subvolumeOf } from '../../../../src/agent/wipe/homes/remove-snapshots.ts';

/** `btrfs subvolume list -u -q -R` (btrfs-progs 6.2) of a machine with snapper, after a rollback of its root. */
const LIST = `ID 256 gen 7 top level 5 parent_uuid -                                    received_uuid -                                    uuid d07cc5fd-0a4b-074c-b221-e78dc2121a6b path @home
ID 257 gen 7 top level 5 parent_uuid d07cc5fd-0a4b-074c-b221-e78dc2121a6b received_uuid -                                    uuid de37171f-b1da-0c49-bc20-daf82a38e396 path @home/.snapshots/1/snapshot
ID 258 gen 8 top level 5 parent_uuid de37171f-b1da-0c49-bc20-daf82a38e396 received_uuid -                                    uuid aaaaaaaa-b1da-0c49-bc20-daf82a38e396 path copy of a snapshot
ID 259 gen 8 top level 5 parent_uuid -                                    received_uuid d07cc5fd-0a4b-074c-b221-e78dc2121a6b uuid bbbbbbbb-b1da-0c49-bc20-daf82a38e396 path backup/home
ID 260 gen 9 top level 5 parent_uuid -                                    received_uuid -                                    uuid cccccccc-0a4b-074c-b221-e78dc2121a6b path @
ID 261 gen 9 top level 5 parent_uuid cccccccc-0a4b-074c-b221-e78dc2121a6b received_uuid -                                    uuid dddddddd-0a4b-074c-b221-e78dc2121a6b path @rolledback
ID 262 gen 9 top level 5 parent_uuid 99999999-0a4b-074c-b221-e78dc2121a6b received_uuid -                                    uuid eeeeeeee-0a4b-074c-b221-e78dc2121a6b path orphan
`;
const MOUNTINFO = `27 1 0:25 /@ / rw,relatime - btrfs /dev/mapper/root rw,subvolid=260,subvol=/@
45 27 0:25 /@home /home rw,relatime - btrfs /dev/mapper/root rw,subvolid=256,subvol=/@home
46 27 8:17 / /data rw,relatime - ext4 /dev/sdb1 rw
`;

const all = parseSubvolumes(LIST);
const kin = (path: string) => {
  const held = subvolumeOf(path, all);
  return held === undefined ? [] : kinOf(held.subvolume, all).map((one) => one.path);
};

test('a list of subvolumes is read as btrfs prints it, with names that hold blanks', (t) => {
  t.is(all.length, 7);
  t.deepEqual(all[1], {
    id: 257,
    uuid: 'de37171f-b1da-0c49-bc20-daf82a38e396',
    parent: 'd07cc5fd-0a4b-074c-b221-e78dc2121a6b',
    path: '@home/.snapshots/1/snapshot',
  });
  t.is(all[2]?.path, 'copy of a snapshot');
  t.deepEqual(parseSubvolumes('ERROR: cannot access\n'), []);
});

test('kin of a subvolume are its snapshots, theirs, and what was received from it; not what has nothing to do with it', (t) => {
  t.deepEqual(kin('/@home/alice'), ['@home/.snapshots/1/snapshot', 'copy of a snapshot', 'backup/home']);
});

test('after a rollback the one that it was made from is kin, too', (t) => {
  t.deepEqual(kin('/@rolledback/home/alice'), ['@']);
});

test('where a home lies on its file system follows from the mounts', (t) => {
  const mounts = parseMounts(MOUNTINFO);
  t.deepEqual(onBtrfs('/home/alice', mounts), { device: '/dev/mapper/root', path: '/@home/alice' });
  t.deepEqual(onBtrfs('/srv/alice', mounts), { device: '/dev/mapper/root', path: '/@/srv/alice' });
  t.is(onBtrfs('/data/alice', mounts), undefined);
  t.like(subvolumeOf('/@home/alice', all), { subvolume: { path: '@home' }, rest: 'alice' });
  t.is(subvolumeOf('/@homestead/alice', all), undefined);
});
