import test from 'ava';
import { type HomeFacts, judgeHome } from '../../../../src/agent/wipe/homes/judge-home.ts';

const ALICE = { uid: 1000 };
const folder = (path: string, owner = ALICE.uid, id = '1:1'): HomeFacts => ({ kind: 'folder', path, owner, id });
const judge = (facts: HomeFacts, named = facts.kind === 'folder' ? facts.path : '/home/alice') =>
  judgeHome({ path: named, facts, of: [ALICE.uid] }, { persons: [ALICE, { uid: 1001 }], keep: new Set(['7:7']) });

for (const facts of [
  folder('/home/alice'),
  folder('/home/staff/alice'),
  folder('/var/home/alice'),
  folder('/srv/homes/alice'),
  folder('/data/alice'),
  // another person's: both go
  folder('/home/bob', 1001),
  // a chroot of sftp
  folder('/home/alice', 0),
]) {
  test(`the home ${JSON.stringify(facts)} goes`, (t) => {
    t.true(judge(facts).remove);
  });
}

for (const path of [
  ...[
    '/',
    '/home',
    '/usr',
    '/usr/share',
    '/etc',
    '/etc/skel',
    '/var',
    '/var/lib/x',
    '/var/www',
    '/root',
    '/root/x',
    '/opt',
  ],
  ...[
    '/srv',
    '/tmp',
    '/mnt',
    '/media',
    '/boot',
    '/boot/efi',
    '/bin',
    '/lib',
    '/lib/modules',
    '/dev/shm',
    '/proc/1',
    '/sys',
  ],
  ...['/run/user/1000', '/var/home', '/nix/store'],
]) {
  test(`a home that is ${path} stays, though it were the account's own`, (t) => {
    t.deepEqual(judge(folder(path)), { remove: false, why: 'it is a folder of the system' });
  });
}

test('a home that is by another path a folder of the system, or root’s home, stays', (t) => {
  t.like(judge(folder('/data/x', 1000, '7:7')), { remove: false });
  t.like(judge(folder('/home/x', 1000, '7:7')), { remove: false });
});

test('a folder that belongs to a service, or outside of /home to root, stays', (t) => {
  t.like(judge(folder('/srv/www', 33)), { remove: false });
  t.like(judge(folder('/srv/files', 0)), { remove: false });
  t.like(judge(folder('/home/www', 33)), { remove: false });
});

for (const [facts, why] of [
  [{ kind: 'link', to: '/etc\u001b[2J' }, /symbolic link to \/etc\?\[2J, which is not followed/],
  [{ kind: 'missing' }, /not there/],
  [{ kind: 'other' }, /no folder/],
  [{ kind: 'untrusted' }, /not one that root alone has made/],
  [{ kind: 'away', type: 'nfs4' }, /kind nfs4, which is not this machine's own/],
] as const) {
  test(`a home that is ${JSON.stringify(facts)} stays, and it is said why`, (t) => {
    const verdict = judge(facts);
    if (verdict.remove) t.fail();
    else t.regex(verdict.why, why);
  });
}
