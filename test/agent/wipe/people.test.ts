import test from 'ava';
import { ownersOf, type Person, pickPeople, subordinateRanges, systemRanges } from '../../../src/agent/wipe/people.ts';

/** /etc/passwd of a Debian 13 laptop, shortened; carol is of a directory, and so not in it. */
const PASSWD = `root:x:0:0:root:/root:/bin/bash
toor:x:0:0:another root:/home/toor:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
penguindome:x:990:990:PenguinDome:/var/lib/penguindome:/usr/sbin/nologin
alice:x:1000:1000:Alice,,,:/home/alice:/bin/bash
bob:x:1001:1001::/home/bob/:/bin/zsh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
dyn:x:61184:61184::/run/dyn:/usr/sbin/nologin
last:x:60000:60000::/home/last:/bin/sh
beyond:x:60001:60001::/home/beyond:/bin/sh
`;

const pick = (passwd: string, defs: Record<string, string> = {}) =>
  pickPeople({ passwd, loginDefs: new Map(Object.entries(defs)) });
const names = ({ persons }: { persons: readonly Person[] }) => persons.map(({ name }) => name);

test('persons are who has a number from UID_MIN to UID_MAX, 1000 and 60000 where login.defs is silent', (t) => {
  t.deepEqual(names(pick(PASSWD)), ['alice', 'bob', 'last']);
  t.deepEqual(names(pick(PASSWD, { UID_MIN: '1001', UID_MAX: '60001' })), ['bob', 'last', 'beyond']);
  t.deepEqual(names(pick(PASSWD, { UID_MIN: '0x3e9', UID_MAX: '03777' })), ['bob']);
});

test('root and nobody are never persons, whatever login.defs says', (t) => {
  const wide = pick(PASSWD, { UID_MIN: '500', UID_MAX: '70000' });
  t.false(names(wide).includes('nobody'));
  const why = 'it is a system account';
  t.deepEqual(wide.left, [
    { name: 'penguindome', why },
    { name: 'nobody', why },
  ]);
  const odd = pick('nobody:x:1000:1000::/home/x:/bin/sh\nroot:x:1001:1001::/home/y:/bin/sh\n');
  t.deepEqual(names(odd), []);
});

for (const [why, defs] of [
  ['takes in system accounts', { UID_MIN: '0' }],
  ['takes in system accounts, nearly', { UID_MIN: '99' }],
  ['is no number', { UID_MIN: 'lots' }],
  ['is empty', { UID_MIN: '2000', UID_MAX: '1000' }],
] as const) {
  test(`a range that ${why} stops it`, (t) => {
    t.throws(() => pick(PASSWD, defs), { message: /cannot tell persons from system accounts/ });
  });
}

test('a name that a tool or a path could take for something else is left, and told', (t) => {
  const passwd = ['-rf', '..', 'a/../../etc', 'x y', 'crontabs', 'dot.ted', 'svc$']
    .map((name, index) => `${name}:x:${1000 + index}:1000::/home/x:/bin/sh`)
    .join('\n');
  const people = pick(passwd);
  t.deepEqual(names(people), ['crontabs', 'dot.ted', 'svc$']);
  t.is(people.left.length, 3);
});

test('homes of all others are told, so that they stay', (t) => {
  const { otherHomes } = pick(PASSWD);
  for (const home of ['/root', '/home/toor', '/var/lib/penguindome', '/home/beyond'])
    t.true(otherHomes.includes(home), home);
  t.false(otherHomes.includes('/home/alice'));
});

test('numbers that a person has for containers are theirs; a range that reaches into the numbers of accounts is nobody’s', (t) => {
  const { persons, known } = pick(PASSWD);
  const subuid = 'alice:100000:65536\n1001:165536:10\nroot:500000:65536\nbob:0:200000\nalice:1:1000\nlast:300000:0\n';
  const isTheirs = ownersOf([1000, 1001], subordinateRanges(subuid, persons, known));
  for (const uid of [1000, 1001, 100_000, 165_535, 165_545]) t.true(isTheirs(uid), `${uid}`);
  for (const uid of [0, 1, 33, 999, 1002, 65_534, 99_999, 165_546, 500_000]) t.false(isTheirs(uid), `${uid}`);
});

test('a range that an account beyond the persons lies in, or that containers of the system share, is nobody’s', (t) => {
  const { persons, known } = pick(`${PASSWD}\noracle:x:120000:100::/u01:/bin/sh\n`);
  const subuid = 'alice:100000:65536\nalice:300000:65536\n1001:500000:65536\ndockremap:365535:10\n';
  const isTheirs = ownersOf([], subordinateRanges(subuid, persons, known));
  for (const uid of [100_000, 120_000, 300_000, 365_535]) t.false(isTheirs(uid), `${uid}`);
  t.true(isTheirs(500_000));
  const isSystem = ownersOf([], systemRanges(subuid, persons));
  t.true(isSystem(365_540));
  t.false(isSystem(500_000));
});
