import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test from 'ava';
import { group } from '../../../../src/agent/collectors/group.ts';
import { vpn } from '../../../../src/agent/collectors/network/vpn.ts';
import { whenPresent } from '../../../support/needs.ts';
import { memory, saying, thisHost } from '../host-in-folder.ts';
import { saysOf } from './facts-of.ts';

const device = (name: string, files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([file, text]) => [`/sys/class/net/${name}/${file}`, `${text}\n`]));
const ETHERNET = device('eth0', { flags: '0x1003', uevent: 'INTERFACE=eth0' });
const WIREGUARD = device('wg0', { flags: '0x91', uevent: 'DEVTYPE=wireguard\nINTERFACE=wg0' });
const NONE = { up: false, tun: false, wireguard: false, ipsec: false, networkmanager: false };

test('a machine without tunnels has no VPN up', async (t) => {
  t.deepEqual(await saysOf(t, vpn, ETHERNET), { vpn: NONE });
});

const ROWS: Record<string, [Record<string, string>, object]> = {
  'WireGuard that is up': [WIREGUARD, { up: true, wireguard: true }],
  'WireGuard that is down': [{ ...WIREGUARD, '/sys/class/net/wg0/flags': '0x90\n' }, NONE],
  'a tun device with its program': [
    device('tun0', { flags: '0x1091', uevent: 'INTERFACE=tun0', tun_flags: '0x1001', carrier: '1' }),
    { up: true, tun: true },
  ],
  'a tun device without its program': [
    device('tun0', { flags: '0x1091', uevent: 'INTERFACE=tun0', tun_flags: '0x1801', carrier: '0' }),
    NONE,
  ],
  "a virtual machine's tap": [
    device('vnet0', { flags: '0x1003', uevent: 'INTERFACE=vnet0', tun_flags: '0x1002', carrier: '1' }),
    NONE,
  ],
  'a VPN whose device does not tell, by NetworkManager': [
    { '/run/NetworkManager/x': '', '/usr/bin/nmcli': saying('802-11-wireless:activated\nvpn:activated') },
    { up: true, networkmanager: true },
  ],
  'a VPN that is being opened': [{ '/run/NetworkManager/x': '', '/usr/bin/nmcli': saying('vpn:activating') }, NONE],
  'an IPsec association': [
    { '/usr/lib/ipsec/charon': 'x', '/usr/bin/ip': saying('\t SAD count 2') },
    { up: true, ipsec: true },
  ],
  'strongSwan without an association': [
    { '/usr/lib/ipsec/charon': 'x', '/usr/bin/ip': saying('\t SAD count 0') },
    NONE,
  ],
  'strongSwan, and a kernel that does not show': [
    { '/usr/lib/ipsec/charon': 'x', '/usr/bin/ip': saying('', 2) },
    { up: 'unknown', ipsec: 'unknown' },
  ],
  'a kernel that does not show, beside WireGuard': [
    { ...WIREGUARD, '/usr/lib/ipsec/charon': 'x', '/usr/bin/ip': saying('', 2) },
    { up: true, wireguard: true, ipsec: 'unknown' },
  ],
};

for (const [title, [files, expected]] of Object.entries(ROWS)) {
  test(title, async (t) => {
    t.like(await saysOf(t, vpn, { ...ETHERNET, ...files }), { vpn: expected });
  });
}

const IP = ['/usr/sbin/ip', '/usr/bin/ip', '/sbin/ip'].find((path) => existsSync(path)) ?? '';
const SCRIPT = `set -e
mount -t sysfs sysfs /sys
${IP} tuntap add tap9 mode tap; ${IP} link set tap9 up
[ "$2" = no ] || { ${IP} link add wg9 type wireguard; [ "$2" != up ] || ${IP} link set wg9 up; }
cat "$1" 2>/dev/null || { ls "$1" | sed 's/^/= /'; }`;
const inNamespace = (path: string, state: string) =>
  spawnSync('/usr/bin/unshare', ['-n', '-m', '/bin/sh', '-c', SCRIPT, 'sh', path, state], { encoding: 'utf8' });
const real = whenPresent(
  IP !== '' && inNamespace('/sys/class/net/tap9/tun_flags', 'no').status === 0,
  'root, iproute2, or devices in network namespaces',
);

real("a real tap device is no VPN: the kernel's own files say so", async (t) => {
  const host = thisHost(t);
  const said = await group('network', '', [vpn]).collect(
    {
      ...host,
      find: async () => undefined,
      stat: async () => undefined,
      list: async () => ['lo', 'tap9'],
      readText: async (path) => {
        const { status, stdout } = inNamespace(path, 'no');
        return status === 0 && !stdout.startsWith('= ') && stdout !== '' ? stdout : undefined;
      },
    },
    memory(),
  );
  t.deepEqual(said, { vpn: NONE });
});
