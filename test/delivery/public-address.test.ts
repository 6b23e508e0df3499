import test from 'ava';
import { isInRanges, isPublicAddress } from '../../src/delivery/public-address.ts';

const PUBLIC = [
  '1.1.1.1',
  '172.32.0.1',
  '192.0.1.1',
  '100.128.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
  '2002:101:101::1',
];

const NOT_PUBLIC: Record<string, string[]> = {
  'this host': ['0.0.0.0', '127.0.0.1', '127.255.255.255', '::1', '::'],
  private: ['10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', 'fc00::1', 'fdff::1'],
  'link-local': ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  multicast: ['224.0.0.1', '239.255.255.255', 'ff02::1'],
  reserved: ['240.0.0.1', '255.255.255.255', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1'],
  'IPv4 inside IPv6': [
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:a00:1',
    '::127.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::1.1.1.1',
    '2002:7f00:1::1',
    '2002:c0a8:1::',
    '2001:0:1::1',
  ],
  'no address': ['', 'localhost', '1.1.1', '1.1.1.1/32'],
};

test('addresses of the internet are public', (t) => {
  for (const address of PUBLIC) t.true(isPublicAddress(address), address);
});

for (const [what, addresses] of Object.entries(NOT_PUBLIC)) {
  test(`not public: ${what}`, (t) => {
    for (const address of addresses) t.false(isPublicAddress(address), address);
  });
}

test('an address is in a range, however it is written', (t) => {
  t.true(isInRanges('10.1.2.3', ['10.0.0.0/8']));
  t.true(isInRanges('::ffff:10.1.2.3', ['10.0.0.0/8']));
  t.true(isInRanges('fd00::1', ['192.0.2.1', 'fd00::/8']));
  t.false(isInRanges('10.1.2.3', ['10.1.2.4', 'fd00::/8']));
  t.false(isInRanges('64:ff9b::10.1.2.3', ['10.0.0.0/8']), 'who is behind a gateway is not who is here');
  t.false(isInRanges('10.1.2.3', []));
});
