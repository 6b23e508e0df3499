import test from 'ava';
import { readPasswordHash } from '../../src/crypto/password-hash.ts';
import { CHEAP, PASSLIB } from '../support/passwords.ts';

test('both kinds of hash are read with what they cost', (t) => {
  t.like(readPasswordHash(CHEAP), { kind: 'argon2id', text: CHEAP, memory: 256, passes: 2, lanes: 1 });
  t.like(readPasswordHash(PASSLIB), { kind: 'pbkdf2-sha256', text: PASSLIB, rounds: 1212 });
});

const argon2id = (cost: string): string =>
  `$argon2id$v=19$${cost}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4`;
const pbkdf2 = (rounds: string, salt = '4vjV83LKPjQzk31VI4E0Vw'): string =>
  `$pbkdf2-sha256$${rounds}$${salt}$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ`;

for (const [why, text] of [
  ['a password in the clear', 'hunter2'],
  ['nothing', ''],
  ['another kind of Argon2', CHEAP.replace('argon2id', 'argon2i')],
  ['another version', CHEAP.replace('v=19', 'v=16')],
  ['a gigabyte of memory', argon2id('m=1048576,t=2,p=1')],
  ['less memory than its lanes need', argon2id('m=8,t=2,p=2')],
  ['no passes', argon2id('m=256,t=0,p=1')],
  ['a thousand passes', argon2id('m=256,t=1000,p=1')],
  ['many lanes', argon2id('m=2560,t=2,p=64')],
  ['a line after it', `${CHEAP}\n`],
  ['no rounds', pbkdf2('0')],
  ['a billion rounds', pbkdf2('999999999')],
  ['rounds that are no number', pbkdf2('1e3')],
  ['no salt', pbkdf2('1000', '')],
  ['padded salt', pbkdf2('1000', '4vjV83LKPjQzk31VI4E0Vw==')],
  ['a digest cut off', PASSLIB.slice(0, -1)],
  ['SHA-512', PASSLIB.replace('sha256', 'sha512')],
] as const) {
  test(`a hash is not read: ${why}`, (t) => {
    t.is(readPasswordHash(text), undefined);
  });
}
