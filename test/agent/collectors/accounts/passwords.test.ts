import test from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import {
  type PasswordKind,
  parseGroup,
  parsePasswd,
  parseShadow,
  passwordKind,
} from '../../../../src/agent/collectors/accounts/parse-accounts.ts';
import { look } from '../look.ts';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/bash',
  'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
  'sync:x:5:0:sync:/sbin:/bin/sync',
  'alice:x:1000:1000:Alice:/home/alice:/bin/bash',
  'bob:x:1001:27:Bob:/home/bob:/bin/bash',
];
const GROUP =
  'root:x:0:\nsudo:x:27:alice,root\ndocker:x:999:\nusers:x:100:alice,bob\nlxd:x:998:bob,alice\nalice:x:1000:\n';
const SHADOW = 'root:!:1::::::\ndaemon:*:1::::::\nalice:$y$j9T$a$b:1::::::\nbob:$6$a$b:1::::::\n';
const files = (more: Record<string, string> = {}) => ({
  '/etc/passwd': `${PASSWD.join('\n')}\n`,
  '/etc/group': GROUP,
  '/etc/shadow': SHADOW,
  ...more,
});
const withAccount = (line: string) => `${[...PASSWD, line].join('\n')}\n`;

test('a plain machine has one root, no empty and no weak password', async (t) => {
  t.like(await look(t, accounts, files()), {
    uid0: [],
    empty_passwords: [],
    password_hashes: { kinds: { sha512: 1, yescrypt: 1 }, weak: [] },
  });
});

for (const [line, name] of [
  ['toor:x:0:0::/root:/bin/sh', 'toor'],
  ['zero:x:00:5::/:/bin/sh', 'zero'],
  ['plus:x:+0:5::/:/bin/sh', 'plus'],
  ['  indented:x:0:0::/:/bin/sh', 'indented'],
] as const) {
  test(`"${line}" is another root`, async (t) => {
    t.like(await look(t, accounts, files({ '/etc/passwd': withAccount(line) })), { uid0: [name] });
  });
}

for (const line of [
  '#toor:x:0:0::/root:/bin/sh',
  '+:x:0:0:::',
  'x0:x:0x0:0::/:/bin/sh',
  'none:x::0::/:/bin/sh',
  'short:x:0',
  ':x:0:0::/:/bin/sh',
]) {
  test(`"${line}" is no account`, async (t) => {
    t.like(await look(t, accounts, files({ '/etc/passwd': withAccount(line) })), { uid0: [] });
  });
}

for (const [title, passwd, shadow, expected] of [
  ['nothing stands for it', 'eve:x:1002:1002::/home/eve:/bin/sh', 'eve::1::::::', ['eve']],
  ['its line in shadow is short', 'eve:x:1002:1002::/home/eve:/bin/sh', 'eve:', ['eve']],
  ['/etc/passwd itself has none', 'eve::1002:1002::/home/eve:/bin/sh', '', ['eve']],
  ['/etc/passwd has none, whatever shadow says', 'eve::1002:1002::/home/eve:/bin/sh', 'eve:$6$a$b:1::::::', ['eve']],
  ['it is locked, and empty behind that', 'eve:x:1002:1002::/home/eve:/bin/sh', 'eve:!:1::::::', []],
  ['it was never set (RHEL)', 'eve:x:1002:1002::/home/eve:/bin/sh', 'eve:!!:1::::::', []],
  ['shadow does not know the account', 'eve:x:1002:1002::/home/eve:/bin/sh', '', []],
  ['the first of two lines has one', 'eve:x:1002:1002::/home/eve:/bin/sh', 'eve:*:1::::::\neve::1::::::', []],
] as const) {
  test(`an empty password, ${title}: ${expected.length === 0 ? 'no' : 'yes'}`, async (t) => {
    const answer = await look(
      t,
      accounts,
      files({ '/etc/passwd': withAccount(passwd), '/etc/shadow': `${SHADOW}${shadow}\n` }),
    );
    t.like(answer, { empty_passwords: [...expected] });
  });
}

test('without /etc/shadow only what /etc/passwd shows is known', async (t) => {
  const { '/etc/shadow': _, ...rest } = files();
  t.like(await look(t, accounts, rest), {
    empty_passwords: 'unknown',
    password_hashes: 'unknown',
    uid0: [],
    reasons: { empty_passwords: '/etc/shadow cannot be read: it is for root alone' },
  });
  t.like(await look(t, accounts, { ...rest, '/etc/passwd': withAccount('eve::1002:1002::/:/bin/sh') }), {
    empty_passwords: ['eve'],
  });
});

/** Prefixes and lengths: crypt(5); the hashes are no one's. */
const KINDS: Record<string, PasswordKind> = {
  '': 'none',
  '!': 'locked',
  '*': 'locked',
  '!!': 'locked',
  '!$6$a$b': 'locked',
  '*LK*': 'locked',
  '!unprovisioned': 'locked',
  $y$j9T$salt$hash: 'yescrypt',
  $gy$j9T$salt$hash: 'gost-yescrypt',
  $7$CU$hash: 'scrypt',
  $2b$10$hash: 'bcrypt',
  $2y$10$hash: 'bcrypt',
  $6$rounds: 'sha512',
  $5$salt$hash: 'sha256',
  $sha1$1$salt$hash: 'sha1',
  $1$salt$hash: 'md5',
  '$md5,rounds=5000$salt$$hash': 'sunmd5',
  $3$$hash: 'nt',
  '_J9..rasmBYk8r9AiWNcx': 'locked',
  '_J9..rasmBYk8r9AiWNc': 'bsdi',
  rqXexS6ZhobKA: 'des',
  $argon2id$v: 'other',
};
for (const [hash, kind] of Object.entries(KINDS)) {
  test(`a password kept as "${hash}" is ${kind}`, (t) => {
    t.is(passwordKind(hash), kind);
  });
}

test('weak hashes are counted and their accounts named; no hash is told', async (t) => {
  const shadow = 'root:$1$s$h:1::::::\nalice:rqXexS6ZhobKA:1::::::\nbob:$5$s$h:1::::::\ndaemon:!$1$s$h:1::::::\n';
  const answer = await look(t, accounts, files({ '/etc/shadow': shadow }));
  t.like(answer, { password_hashes: { kinds: { des: 1, md5: 1, sha256: 1 }, weak: ['alice', 'bob', 'root'] } });
  t.false(JSON.stringify(answer).includes('rqXexS6ZhobKA'));
});

test('members of privileged groups are told, people whose first group it is among them; root and system accounts are not', async (t) => {
  t.like(await look(t, accounts, files()), { privileged_groups: { lxd: ['alice', 'bob'], sudo: ['alice', 'bob'] } });
  const answer = await look(t, accounts, files({ '/etc/group': 'root:x:0:\ndocker:x:5:\nusers:x:7:alice\n' }));
  t.like(answer, { privileged_groups: {} });
});

test('who people are, login.defs says', async (t) => {
  const answer = await look(t, accounts, files({ '/etc/login.defs': '# UID_MIN 1\nUID_MIN\t\t 1001\n' }));
  t.like(answer, { privileged_groups: { sudo: ['alice', 'bob'] } });
  const none = await look(t, accounts, files({ '/etc/login.defs': 'UID_MIN 5000\n' }));
  t.like(none, { privileged_groups: { sudo: ['alice'] } });
});

test('garbage, a cut line and no file at all are no answer', async (t) => {
  for (const passwd of ['\u0000\u0001\u0002', 'root:x', '\n\n', '']) {
    t.like(await look(t, accounts, files({ '/etc/passwd': passwd })), { uid0: 'unknown', empty_passwords: 'unknown' });
  }
  t.deepEqual(parsePasswd('root:x:0:0:root:/root'), [
    { name: 'root', password: 'x', uid: 0, gid: 0, home: '/root', shell: '' },
  ]);
  t.deepEqual(parseGroup('sudo:x:27\nbad\n:x:1:a\n'), [{ name: 'sudo', gid: 27, members: [] }]);
  t.deepEqual([...parseShadow('a\nb:\n#c:x\n')], [['b', '']]);
});

test('a hundred thousand accounts are read', async (t) => {
  const many = Array.from(
    { length: 100_000 },
    (_, index) => `u${index}:x:${index + 2000}:100::/home/u${index}:/bin/sh`,
  );
  t.is(parsePasswd(many.join('\n')).length, 100_000);
});
