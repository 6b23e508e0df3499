import test from 'ava';
import { parseAddressRange } from '../../src/settings/address-range.ts';

const GOOD: [text: string, family: 'ipv4' | 'ipv6', address: string, prefix: number][] = [
  ['192.0.2.7', 'ipv4', '192.0.2.7', 32],
  ['10.0.0.5/8', 'ipv4', '10.0.0.5', 8],
  ['2001:db8::/32', 'ipv6', '2001:db8::', 32],
  ['::1', 'ipv6', '::1', 128],
];

for (const [text, family, address, prefix] of GOOD) {
  test(`${text} is an address or range`, (t) => {
    t.deepEqual(parseAddressRange(text), { family, address, prefix });
  });
}

const BAD = [
  '',
  'proxy.example',
  '10.0.0.0/33',
  '10.0.0.0/',
  '10.0.0/8',
  '010.0.0.0/8',
  '2001:db8::/129',
  'fe80::1%eth0',
  '10.0.0.0/8/8',
  // nobody means to trust everybody
  '0.0.0.0/0',
  '::/0',
  // to be written as IPv4
  '::ffff:10.0.0.0/104',
  '::ffff:10.0.0.1',
];

for (const text of BAD) {
  test(`${text === '' ? 'nothing' : text} is not taken for a range`, (t) => {
    t.is(parseAddressRange(text), undefined);
  });
}
