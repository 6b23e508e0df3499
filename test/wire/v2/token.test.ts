import test from 'ava';
import { decodeToken, encodeToken, type TokenContent } from '../../../src/wire/v2/token.ts';

const CONTENT: TokenContent = {
  secret: 'kZ1n5t2yGqS0z3v9w8xA7b6c5d4e3f2g',
  url: 'https://dome.example:8443',
  ca: '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n',
  answer_key: Buffer.alloc(32, 7).toString('base64'),
  order_key: 'A'.repeat(40),
};

test('a token is one line that carries all that an agent must know, and survives white space around it', (t) => {
  const text = encodeToken(CONTENT);
  t.regex(text, /^penguindome1:[A-Za-z0-9_-]+$/);
  t.deepEqual(decodeToken(`\n ${text}\n`), CONTENT);
});

test('what is no token of ours is told apart', (t) => {
  const text = encodeToken(CONTENT);
  for (const wrong of [
    '',
    'penguindome1:',
    text.slice(0, 100),
    text.replace('1:', '2:'),
    `penguindome1:${Buffer.from('{}').toString('base64url')}`,
  ]) {
    t.is(decodeToken(wrong), undefined, wrong.slice(0, 30));
  }
  t.is(decodeToken(encodeToken({ ...CONTENT, url: 'https://dome.example/path' })), undefined);
});
