import test from 'ava';
import { parseMounts } from '../../../../src/agent/collectors/mounts.ts';
import type { Home, HomeFacts } from '../../../../src/agent/wipe/homes/judge-home.ts';
import { planHomes } from '../../../../src/agent/wipe/homes/plan-homes.ts';
import { pickPeople } from '../../../../src/agent/wipe/people.ts';

const PASSWD = `root:x:0:0::/root:/bin/bash
svc:x:990:990::/home/alice/svc:/usr/sbin/nologin
alice:x:1000:1000::/home/alice:/bin/bash
bob:x:1001:1001::/net/bob:/bin/bash
root2:x:1002:1002::/:/bin/sh
`;
const MOUNTS = `27 1 8:1 / / rw - ext4 /dev/vda rw
30 27 0:25 /@home /home rw - btrfs /dev/vdb rw,subvol=/@home
31 30 8:1 /srv/data /home/alice/data rw - ext4 /dev/vda rw
32 30 0:50 / /home/alice/cloud rw - fuse.rclone remote rw
`;
const home = (path: string, of: number, facts: HomeFacts): Home => ({ path, of: [of], facts });

const planned = planHomes({
  people: pickPeople({ passwd: PASSWD, loginDefs: new Map() }),
  homes: [
    home('/', 1002, { kind: 'folder', path: '/', owner: 0, id: '1:2' }),
    home('/home/alice', 1000, { kind: 'folder', path: '/home/alice', owner: 1000, id: '2:2' }),
    home('/home/ldap', 20_001, { kind: 'folder', path: '/home/ldap', owner: 20_001, id: '2:3' }),
    home('/net/bob', 1001, { kind: 'away', type: 'autofs' }),
  ],
  keep: new Set(['1:2']),
  mounts: parseMounts(MOUNTS),
  homed: ['carol'],
  subuid: '',
});

test('the plan says which homes go, with snapshots, and what is mounted in them', (t) => {
  t.deepEqual(planned.will, [
    'lock the accounts alice (1000), bob (1001), root2 (1002), and end their sessions and processes',
    'remove the home /home/alice (in its snapshots on this disk, too)',
    'unmount /home/alice/data (ext4), without a change to what is in it',
    'unmount /home/alice/cloud (fuse.rclone), without a change to what is in it',
    'remove the home /home/ldap of the user with the number 20001, who has no account here (in its snapshots on this disk, too)',
    'remove their mail, crontabs and at jobs, and files of theirs in /tmp, /var/tmp and /dev/shm',
    'remove the accounts alice, bob, root2',
  ]);
});

test('and which stay, and why', (t) => {
  t.deepEqual(planned.cannot.slice(0, 3), [
    'the home / stays: it is a folder of the system',
    "the home /net/bob stays: it lies on a file system of the kind autofs, which is not this machine's own",
    'the account carol of systemd-homed stays: homectl has to remove it',
  ]);
});

test('a home is not left alone because its owner has mounted something over it, and is where root has', (t) => {
  const mounts = parseMounts(`${MOUNTS}33 30 0:51 / /home/eve rw - fuse.sshfs x rw,user_id=1003,group_id=1003
34 30 0:52 / /home/fay rw - fuse.mergerfs x rw,user_id=0,group_id=0,allow_other
`);
  const away = (type: string): HomeFacts => ({ kind: 'away', type });
  const passwd = 'eve:x:1003:1003::/home/eve:/bin/sh\nfay:x:1004:1004::/home/fay:/bin/sh\n';
  const homes = [home('/home/eve', 1003, away('fuse.sshfs')), home('/home/fay', 1004, away('fuse.mergerfs'))];
  const people = pickPeople({ passwd, loginDefs: new Map() });
  const { covered, will, cannot } = planHomes({ people, homes, keep: new Set(), mounts, homed: [], subuid: '' });
  t.deepEqual(
    covered.map(({ path }) => path),
    ['/home/eve'],
  );
  t.regex(will.join('\n'), /remove the home \/home\/eve, once what its owner has mounted over it is unmounted/);
  t.regex(cannot.join('\n'), /the home \/home\/fay stays: it lies on a file system of the kind fuse\.mergerfs/);
});
