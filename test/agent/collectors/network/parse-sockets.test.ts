import test from 'ava';
import { type AddressClass, classOf, parseSockets } from '../../../../src/agent/collectors/network/parse-sockets.ts';

// proc(5); lines of Linux 6.1
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 340805 1 00000000b9d82fdd 100 0 0 10 1024
   1: 0100007F:8A1D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 422253 1 00000000068a2990 100 0 0 10 0
   2: 0200A8C0:0016 0100A8C0:C001 01 00000000:00000000 00:00000000 00000000     0        0 422254 1 00000000068a2990 100 0 0 10 0
`;

test('sockets that listen are read, those of connections are not', (t) => {
  t.deepEqual(parseSockets(TCP, 'tcp', 'LE'), [
    { protocol: 'tcp', address: [0, 0, 0, 0], port: 22, inode: '340805' },
    { protocol: 'tcp', address: [127, 0, 0, 1], port: 0x8a1d, inode: '422253' },
  ]);
});

test('a machine whose numbers begin with the big end prints addresses the other way round', (t) => {
  const [socket] = parseSockets('0: 7F000001:0050 00000000:0000 0A 0:0 0:0 0 0 0 7 1\n', 'tcp', 'BE');
  t.deepEqual(socket?.address, [127, 0, 0, 1]);
});

test('an IPv6 address comes in four words', (t) => {
  const line =
    '0: B80D0120000000000000000001000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 21 2 0 0';
  t.deepEqual(parseSockets(line, 'udp', 'LE'), [
    { protocol: 'udp', address: [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], port: 5353, inode: '21' },
  ]);
});

test('what is no line of the kernel is passed over', (t) => {
  const strange = [
    '',
    'x',
    '0: 00000000:0016',
    '0: 0000:0016 0:0 0A 0 0 0 0 0 1',
    '0: 00000000:00016 0:0 0A 0 0 0 0 0 1',
  ];
  for (const line of [...strange, '\0\ufffd'.repeat(2000), TCP.slice(0, 130)])
    t.deepEqual(parseSockets(line, 'tcp'), []);
});

const CLASSES: Record<AddressClass, readonly number[][]> = {
  any: [[0, 0, 0, 0], Array(16).fill(0)],
  loopback: [
    [127, 0, 0, 53],
    [...Array(15).fill(0), 1],
    [...Array(10).fill(0), 255, 255, 127, 0, 0, 1],
  ],
  link_local: [
    [169, 254, 1, 1],
    [0xfe, 0x80, ...Array(13).fill(0), 1],
  ],
  private: [
    [10, 0, 0, 1],
    [172, 16, 0, 1],
    [172, 31, 255, 1],
    [192, 168, 122, 1],
    [100, 64, 0, 1],
    [0xfd, ...Array(15).fill(1)],
  ],
  multicast: [
    [224, 0, 0, 251],
    [0xff, 2, ...Array(13).fill(0), 0xfb],
  ],
  public: [
    [172, 32, 0, 1],
    [100, 128, 0, 1],
    [192, 0, 2, 1],
    [0x20, 1, ...Array(14).fill(0)],
    [...Array(10).fill(0), 255, 255, 192, 0, 2, 1],
  ],
};

for (const [expected, addresses] of Object.entries(CLASSES)) {
  for (const address of addresses) {
    test(`${address.join('.')} is ${expected}`, (t) => {
      t.is<string, string>(classOf(address), expected);
    });
  }
}
