import test from 'ava';
import { readPasswordHash } from '../../src/crypto/password-hash.ts';
import { checkPassword, makeDecoy, passwords } from '../../src/crypto/passwords.ts';
import { CHEAP, countedPasswords, PASSLIB } from '../support/passwords.ts';

const check = (hash: string, password: string): Promise<boolean> =>
  checkPassword(passwords, { hash: readPasswordHash(hash), decoy: CHEAP, rounds: 0 }, password);

for (const [from, hash, password] of [
  ['the reference implementation', CHEAP, 'password'],
  [
    'the reference implementation, 64 MiB',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    'password',
  ],
  ['passlib', PASSLIB, 'password'],
  [
    'passlib, Greek letters',
    '$pbkdf2-sha256$1212$3SABFJGDtyhrQMVt1uABPw$WyaUoqCLgvz97s523nF4iuOqZNbp5Nt8do/cuaa7AiI',
    'Ιωαννης',
  ],
  [
    'an original PenguinDome',
    '$pbkdf2-sha256$200000$MDEyMzQ1Njc4OWFiY2RlZg$zmpblD8yUO9ZrWt98tvJGBja4FYxzJCHkajobqRBiPw',
    'password',
  ],
] as const) {
  test(`a hash of ${from} fits its password, and no other`, async (t) => {
    t.true(await check(hash, password));
    for (const other of ['', `${password} `, password.toUpperCase(), 'p\0assword']) t.false(await check(hash, other));
  });
}

test('a new hash is Argon2id of the usual cost, another one each time, and fits', async (t) => {
  const [one, other] = await Promise.all([passwords.hash('correct horse'), passwords.hash('correct horse')]);
  t.not(one, other);
  t.like(readPasswordHash(one), { kind: 'argon2id', memory: 19_456, passes: 2, lanes: 1 });
  t.true(await check(one, 'correct horse'));
  t.false(await check(one, 'correct horse '));
});

test('a letter is one, whichever way a keyboard composes it', async (t) => {
  const hash = await passwords.hash('m\u00fcnchen-1');
  t.true(await check(hash, 'mu\u0308nchen-1'));
});

test('a decoy looks like a new hash, and no password fits it', async (t) => {
  const [decoy, hash] = [makeDecoy(), await passwords.hash('x')];
  t.is(decoy.length, hash.length);
  t.is(decoy.split('$').slice(0, 4).join('$'), hash.split('$').slice(0, 4).join('$'));
  t.false(await check(decoy, ''));
});

test('whether there is a hash, and of which kind, shows in no work that is done', async (t) => {
  const { passwords: counted, done } = countedPasswords();
  const decoy = CHEAP.replace(/.$/, 'A');
  const work = async (hash: string | undefined, password: string, rounds: number): Promise<string[]> => {
    await checkPassword(counted, { hash: (hash && readPasswordHash(hash)) || undefined, decoy, rounds }, password);
    return done();
  };
  const ofOldKind = ['argon2id m=256,t=2,p=1', 'pbkdf2 5000'];
  t.deepEqual(await work(undefined, 'password', 5000), ofOldKind);
  t.deepEqual(await work(CHEAP, 'password', 5000), ofOldKind);
  t.deepEqual(await work(CHEAP, 'wrong', 5000), ofOldKind);
  // As many rounds in all.
  t.deepEqual(await work(PASSLIB, 'password', 5000), ['argon2id m=256,t=2,p=1', 'pbkdf2 1212', 'pbkdf2 3788']);
  t.deepEqual(await work(PASSLIB, 'wrong', 5000), ['argon2id m=256,t=2,p=1', 'pbkdf2 1212', 'pbkdf2 3788']);
  t.deepEqual(await work(PASSLIB, 'wrong', 1212), ['argon2id m=256,t=2,p=1', 'pbkdf2 1212']);
  t.deepEqual(await work(undefined, 'password', 0), ['argon2id m=256,t=2,p=1']);
  t.deepEqual(await work(CHEAP, 'wrong', 0), ['argon2id m=256,t=2,p=1']);
});
