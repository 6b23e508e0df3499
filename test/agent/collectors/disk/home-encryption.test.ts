import test from 'ava';
import { homeEncryption, parseHomes, parseLsattr } from '../../../../src/agent/collectors/disk/home-encryption.ts';
import { tellOf } from '../fact.ts';
import { saying } from '../host-in-folder.ts';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
  'bob:x:1001:1001::/home/bob:/bin/zsh',
  'alice:x:1000:1000:Alice:/home/alice:/bin/bash',
  'shut:x:1002:1002::/home/shut:/usr/sbin/nologin',
  'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
  '',
].join('\n');

const by = (alice: string, bob: string) => [
  { user: 'alice', by: alice },
  { user: 'bob', by: bob },
];

test('people who can log in are listed by name, and with nothing set up their homes are not encrypted', async (t) => {
  t.deepEqual(await tellOf(t, homeEncryption, { '/etc/passwd': PASSWD }), {
    value: by('none', 'none'),
    reasons: undefined,
  });
});

test('ecryptfs is told by the settings beside the homes, whether or not one is open', async (t) => {
  const { value } = await tellOf(t, homeEncryption, {
    '/etc/passwd': PASSWD,
    '/home/.ecryptfs/alice/.ecryptfs/Private.mnt': '/home/alice\n',
    // Only a folder inside of the home.
    '/home/.ecryptfs/bob/.ecryptfs/Private.mnt': '/home/bob/Private\n',
  });
  t.deepEqual(value, by('ecryptfs', 'none'));
});

test('where a file system has fscrypt, the flags of the homes decide', async (t) => {
  const files = { '/etc/passwd': PASSWD, '/home/.fscrypt/policies/0a1b': '' };
  const flags = '-----------E--e------- /home/alice\n--------------e------- /home/bob\n';
  t.deepEqual(
    (await tellOf(t, homeEncryption, { ...files, '/usr/bin/lsattr': saying(flags) })).value,
    by('fscrypt', 'none'),
  );
  const denied = await tellOf(t, homeEncryption, {
    ...files,
    '/usr/bin/lsattr': saying('-----------E--e------- /home/alice\n', 1),
  });
  t.deepEqual(denied.value, by('fscrypt', 'unknown'));
  t.deepEqual(denied.reasons, { 'home_encryption.1.by': 'lsattr does not tell of /home/bob' });
  t.deepEqual((await tellOf(t, homeEncryption, files)).value, by('unknown', 'unknown'));
});

const record = (storage: string) =>
  JSON.stringify({ userName: 'carol', binding: { '0a1b2c': { storage, uid: 60321 } } });

for (const [storage, expected] of [
  ['luks', 'homed-luks'],
  ['fscrypt', 'homed-fscrypt'],
  ['directory', 'none'],
  ['subvolume', 'none'],
  ['cifs', 'unknown'],
] as const) {
  test(`systemd-homed, storage ${storage}: ${expected}`, async (t) => {
    const { value } = await tellOf(t, homeEncryption, {
      '/etc/passwd': PASSWD,
      '/var/lib/systemd/home/carol.identity': record(storage),
    });
    t.deepEqual(value, [...by('none', 'none'), { user: 'carol', by: expected }]);
  });
}

test('a record that is cut off or no JSON is unknown', async (t) => {
  for (const text of ['', record('luks').slice(0, -8), '[]', '{"binding":1}']) {
    const { value } = await tellOf(t, homeEncryption, {
      '/etc/passwd': '',
      '/var/lib/systemd/home/carol.identity': text,
    });
    t.deepEqual(value, [{ user: 'carol', by: 'unknown' }]);
  }
});

test('without /etc/passwd it is unknown', async (t) => {
  t.deepEqual((await tellOf(t, homeEncryption, {})).reasons, { home_encryption: 'cannot read /etc/passwd' });
});

test('lines of the wrong shape are nobody, and no flags', (t) => {
  t.deepEqual(parseHomes('x:y\n+::::::\nalice:x:abc:1::/home/a:/bin/sh\nslash:x:1000:1000::/:/bin/sh\n\0\0:\0'), []);
  t.is(parseLsattr('lsattr: Operation not supported While reading flags on /home/alice\n----\n').size, 0);
});
