import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import test from 'ava';
import { networkDevices } from '../../../src/agent/collectors/network-devices.ts';
import { ipv4Netmask, ipv6Netmask, parseIpAddress } from '../../../src/agent/collectors/parse-ip-address.ts';
import { isFields, valueAt } from '../../../src/core/value.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { hostInFolder, plant, saying, thisHost } from './host-in-folder.ts';

const recorded = () => readFile('test/fixtures/network/ip-address.json', 'utf8');

test("addresses are in the original's words: families as numbers, IPv6 masks with their length, no loopback", async (t) => {
  const devices = parseIpAddress(await recorded());
  t.deepEqual([...(devices?.keys() ?? [])], ['br0', 'tun0', 'v1', 'v0']);
  t.deepEqual(devices?.get('tun0'), {});
  t.deepEqual(devices?.get('br0'), {
    '2': [
      { addr: '10.1.2.3', netmask: '255.255.255.255', peer: '10.1.2.4' },
      { addr: '10.77.0.11', netmask: '255.255.255.0' },
      { addr: '10.77.0.12', netmask: '255.255.255.0', broadcast: '10.77.0.255' },
    ],
    '10': [{ addr: 'fd00::7', netmask: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:0/112' }],
    '17': [{ addr: '26:ab:90:c9:90:cc', broadcast: 'ff:ff:ff:ff:ff:ff' }],
  });
});

const link = (more: object) =>
  JSON.stringify([{ ifname: 'wlan0', link_type: 'ether', address: '02:00:00:00:00:01', operstate: 'UP', ...more }]);

test('addresses that are made to change by the day, or are not confirmed yet, are left out', (t) => {
  const address = { family: 'inet6', prefixlen: 64, scope: 'global' };
  const output = link({
    addr_info: [
      { ...address, local: '2001:db8::9', temporary: true },
      { ...address, local: '2001:db8::8', tentative: true },
      { ...address, local: '2001:db8::1', mngtmpaddr: true },
      { ...address, local: 'fe80::1', scope: 'link' },
    ],
  });
  t.deepEqual(parseIpAddress(output)?.get('wlan0')?.['10'], [
    { addr: '2001:db8::1', netmask: 'ffff:ffff:ffff:ffff::/64' },
    { addr: 'fe80::1%wlan0', netmask: 'ffff:ffff:ffff:ffff::/64' },
  ]);
});

test('a Wi-Fi card without a network goes by its own address, not by what it makes up', (t) => {
  const searching = link({ operstate: 'DOWN', permaddr: '02:00:00:00:00:99' });
  t.deepEqual(parseIpAddress(searching)?.get('wlan0'), { '17': [{ addr: '02:00:00:00:00:99' }] });
  t.deepEqual(parseIpAddress(link({ permaddr: '02:00:00:00:00:99' }))?.get('wlan0'), {
    '17': [{ addr: '02:00:00:00:00:01' }],
  });
});

test('masks are right at every length', (t) => {
  t.deepEqual([0, 8, 20, 31, 32].map(ipv4Netmask), [
    '0.0.0.0',
    '255.0.0.0',
    '255.255.240.0',
    '255.255.255.254',
    '255.255.255.255',
  ]);
  t.deepEqual([0, 20, 64, 112, 128].map(ipv6Netmask), [
    '::/0',
    'ffff:f000::/20',
    'ffff:ffff:ffff:ffff::/64',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:0/112',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128',
  ]);
});

test('output of ip that is no list of links is not believed', (t) => {
  t.is(parseIpAddress('Object "address" is unknown'), undefined);
  t.is(parseIpAddress('{}'), undefined);
});

test('without ip, sysfs and Node say what they see', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, {
    '/sys/class/net/eth0/type': '1\n',
    '/sys/class/net/eth0/address': '02:00:00:00:00:01\n',
    '/sys/class/net/eth0/broadcast': 'ff:ff:ff:ff:ff:ff\n',
    '/sys/class/net/lo/type': '772\n',
    '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  });
  const mac = '02:00:00:00:00:01';
  const host = {
    ...hostInFolder(t, folder),
    networkInterfaces: (): ReturnType<typeof networkInterfaces> => ({
      eth0: [
        { address: '192.0.2.2', netmask: '255.255.255.0', family: 'IPv4', mac, internal: false, cidr: '192.0.2.2/24' },
        { address: 'fe80::1', netmask: 'x', family: 'IPv6', mac, internal: false, cidr: 'fe80::1/64', scopeid: 2 },
      ],
    }),
  };
  t.deepEqual(await networkDevices.collect(host), {
    eth0: {
      '2': [{ addr: '192.0.2.2', netmask: '255.255.255.0' }],
      '10': [{ addr: 'fe80::1%eth0', netmask: 'ffff:ffff:ffff:ffff::/64' }],
      '17': [{ addr: mac, broadcast: 'ff:ff:ff:ff:ff:ff' }],
    },
  });
});

test('an ip that fails is not believed either', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { '/usr/bin/ip': saying('[]', 1), '/sys/class/net/eth0/type': '1\n' });
  t.deepEqual(await networkDevices.collect(hostInFolder(t, folder)), { eth0: {} });
});

test('this machine: every IPv4 address that Node sees outside loopback is there', async (t) => {
  const answer = await networkDevices.collect(thisHost(t));
  t.true(isFields(answer));
  for (const [device, addresses] of Object.entries(networkInterfaces())) {
    for (const { address, netmask } of (addresses ?? []).filter(
      ({ family, internal }) => family === 'IPv4' && !internal,
    )) {
      const seen = valueAt(isFields(answer) ? answer[device] : undefined, '2');
      t.true(
        Array.isArray(seen) &&
          seen.some((each) => isFields(each) && each['addr'] === address && each['netmask'] === netmask),
      );
    }
  }
});

test("the host's end of a container's cable, which has another name each time, is left out", async (t) => {
  const device = (ifname: string) => ({ ifname, link_type: 'ether', address: '02:00:00:00:00:01', operstate: 'UP' });
  const folder = await scratchFolder(t);
  const names = ['veth1a2b3c4', 'vethb0c1d2e3', 'docker0', 'veth-office', 'veth0'];
  await plant(folder, { '/usr/bin/ip': saying(JSON.stringify(names.map(device))) });
  const answer = await networkDevices.collect(hostInFolder(t, folder));
  t.deepEqual(Object.keys(Object(answer)), ['docker0', 'veth-office', 'veth0']);
});
