import test from 'ava';
import { readPasswordHash } from '../../../src/crypto/password-hash.ts';
import { digestOfHash } from '../../../src/crypto/passwords.ts';
import { compileAccess } from '../../../src/server/login/access.ts';
import { parseAccounts } from '../../../src/settings/accounts.ts';
import type { PasswordUpgrades } from '../../../src/settings/password-upgrades.ts';
import { CHEAP, PASSLIB } from '../../support/passwords.ts';
import { testSettings } from '../../support/server.ts';

function access(server_auth: object, accounts = '', upgrades: PasswordUpgrades = {}) {
  const auth = testSettings({ server_auth }).server_auth;
  return compileAccess({ auth, accounts: parseAccounts(accounts, 'accounts.yml'), upgrades });
}

const USERS = `users:
  fred: {password: "${CHEAP}"}
  mary: {password: ${PASSLIB}}
  constructor: {password: "${CHEAP}"}
groups:
  admins: [mary, gone]
endpoints:
  download_release:
    passwords: {downloader: "${CHEAP}", fred: ${PASSLIB}}
`;

const SEEN: [range: string, inside: string[], outside: string[]][] = [
  ['192.0.2.7', ['192.0.2.7', '::ffff:192.0.2.7', '::ffff:c000:207'], ['192.0.2.8', '::192.0.2.7']],
  ['192.168.4.9/24', ['192.168.4.0', '192.168.4.255'], ['192.168.5.0', '2001:db8::1']],
  ['fe80::/10', ['fe80::1', 'fe80::1%eth0', 'FE80:0:0::1'], ['fec0::1', '10.0.0.1']],
  ['2001:DB8:0:0::/64', ['2001:db8::1', '2001:0db8:0000:0000:ffff::'], ['2001:db8:0:1::1']],
  ['fe00::0', ['fe00::', 'fe00:0:0:0:0:0:0:0'], ['fe00::1']],
  ['0.0.0.0/0', ['198.51.100.1'], ['2001:db8::1', 'gone']],
  ['::/0', ['2001:db8::1'], ['gone', 'unix']],
];

for (const [range, inside, outside] of SEEN) {
  test(`${range} lets in ${inside.join(', ')}, and not ${outside.join(', ')}`, (t) => {
    const { holds } = access({ download_release: { ipranges: [range] } }).endpoint('download_release');
    t.deepEqual(
      inside.filter((address) => !holds(address)),
      [],
    );
    t.deepEqual(
      outside.filter((address) => holds(address)),
      [],
    );
  });
}

test('an endpoint of which nothing is said is not configured; any one way in makes it so', (t) => {
  t.false(access({}).endpoint('download_release').configured);
  t.false(access({ download_release: {} }, USERS).endpoint('pipe_create').configured);
  t.true(access({}, USERS).endpoint('download_release').configured, 'a password of its own');
  for (const way of [{ ipranges: ['::1'] }, { users: ['fred'] }, { groups: ['admins'] }]) {
    t.true(access({ pipe_create: way }).endpoint('pipe_create').configured);
  }
});

test('users come in where they, or a group of theirs, are named; passwords of an endpoint count there alone', (t) => {
  const made = access({ pipe_create: { groups: ['admins'] }, download_release: { users: ['fred'] } }, USERS);
  const hashes = (endpoint: 'pipe_create' | 'download_release', user: string) =>
    made
      .endpoint(endpoint)
      .hashesOf(user)
      .map(({ text }) => text);
  t.deepEqual(hashes('pipe_create', 'mary'), [PASSLIB]);
  for (const user of ['fred', 'downloader', 'gone', 'constructor', '__proto__', 'toString', '']) {
    t.deepEqual(hashes('pipe_create', user), [], user);
  }
  t.deepEqual(hashes('download_release', 'downloader'), [CHEAP]);
  t.deepEqual(hashes('download_release', 'fred'), [PASSLIB, CHEAP], 'either of his two');
  t.deepEqual(hashes('download_release', 'mary'), []);
});

test('as many hashes are checked for anybody as for the user with the most', (t) => {
  const made = access({ pipe_create: { groups: ['admins'] }, download_release: { users: ['fred'] } }, USERS);
  t.is(made.endpoint('download_release').slots, 2);
  t.is(made.endpoint('pipe_create').slots, 1);
  t.is(access({ pipe_create: { ipranges: ['::1'], users: ['nobody'] } }).endpoint('pipe_create').slots, 0);
});

test('only names that somebody has are known, wherever they count', (t) => {
  const { knows } = access({}, USERS);
  t.deepEqual(['fred', 'downloader', 'constructor'].map(knows), [true, true, true]);
  t.deepEqual(['gone', 'admins', 'toString', 'hunter2'].map(knows), [false, false, false, false]);
});

test('a hash that replaces one of the original counts while that one stands, and no other is ever replaced', (t) => {
  const auth = { pipe_create: { users: ['fred', 'mary'] } };
  const upgrades = { [digestOfHash(PASSLIB)]: CHEAP, [digestOfHash(CHEAP)]: PASSLIB };
  const made = access(auth, USERS, upgrades).endpoint('pipe_create');
  t.deepEqual(
    made.hashesOf('mary').map(({ text }) => text),
    [CHEAP],
  );
  t.deepEqual(
    made.hashesOf('fred').map(({ text }) => text),
    [CHEAP],
  );
  const changed = USERS.replaceAll('$1212$', '$1213$');
  t.like(access(auth, changed, upgrades).endpoint('pipe_create').hashesOf('mary')[0], { rounds: 1213 });
});

test('the rounds that all are to cost are those of the dearest hash that is left', (t) => {
  const accounts = `users:\n  a: {password: ${PASSLIB}}\n  b: {password: ${PASSLIB.replace('$1212$', '$5000$')}}\n`;
  const made = access({}, accounts);
  t.is(made.rounds(), 5000);
  const [dearest] = [readPasswordHash(PASSLIB.replace('$1212$', '$5000$'))];
  if (dearest !== undefined) made.upgrade(dearest, CHEAP);
  t.is(made.rounds(), 1212);
  t.is(access({}, `users:\n  a: {password: "${CHEAP}"}\n`).rounds(), 0);
});
