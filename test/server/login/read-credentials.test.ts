import test from 'ava';
import { readCredentials } from '../../../src/server/login/read-credentials.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64');

test('user and password are read as RFC 7617 has them', (t) => {
  // Its own example of UTF-8 (section 2.1).
  t.deepEqual(readCredentials('Basic dGVzdDoxMjPCow=='), { user: 'test', password: '123£' });
  t.deepEqual(readCredentials('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='), { user: 'Aladdin', password: 'open sesame' });
  t.deepEqual(readCredentials(`bAsIc  ${encode('a:b:c')}`), { user: 'a', password: 'b:c' });
  t.deepEqual(readCredentials(`Basic ${encode(':')}`), { user: '', password: '' });
  t.deepEqual(readCredentials(`Basic ${encode('mu\u0308ller:mu\u0308')}`), {
    user: 'm\u00fcller',
    password: 'mu\u0308',
  });
});

for (const [why, header] of [
  ['nothing', undefined],
  ['nothing in it', ''],
  ['no credentials', 'Basic '],
  ['another scheme', `Bearer ${encode('a:b')}`],
  ['no colon', `Basic ${encode('fred')}`],
  ['no base64', 'Basic fred:secret'],
  ['base64 for URLs', 'Basic YTo_Pw-_'],
  ['no UTF-8', `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`],
  ['two of them', `Basic ${encode('a:b')}, Basic ${encode('c:d')}`],
] as const) {
  test(`no credentials are read from a header with ${why}`, (t) => {
    t.is(readCredentials(header), undefined);
  });
}
