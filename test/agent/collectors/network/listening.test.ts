import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import test from 'ava';
import type { HostAccess } from '../../../../src/agent/collector.ts';
import { group } from '../../../../src/agent/collectors/group.ts';
import { listening } from '../../../../src/agent/collectors/network/listening.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant, thisHost } from '../host-in-folder.ts';
import { saysOf } from './facts-of.ts';

const HEADER = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const socket = (address: string, port: number, inode: number, state = '0A') =>
  `   0: ${address}:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`;
const ANY = '00000000';
const ANY6 = '0'.repeat(32);
const OPEN = '07';

const tables = (files: { tcp?: string; tcp6?: string; udp?: string; udp6?: string }) => ({
  '/proc/net/tcp': HEADER + (files.tcp ?? ''),
  '/proc/net/udp': HEADER + (files.udp ?? ''),
  ...(files.tcp6 === undefined ? {} : { '/proc/net/tcp6': HEADER + files.tcp6 }),
  ...(files.udp6 === undefined ? {} : { '/proc/net/udp6': HEADER + files.udp6 }),
});
const holder = (pid: number, name: string, ...inodes: number[]) => ({
  [`/proc/${pid}/comm`]: `${name}\n`,
  [`/proc/${pid}/fd/0`]: '-> /dev/null',
  ...Object.fromEntries(inodes.map((inode, index) => [`/proc/${pid}/fd/${index + 3}`, `-> socket:[${inode}]`])),
});
const root = { isRoot: true };

test('a service on both families, with workers, is one line with its program', async (t) => {
  const files = {
    ...tables({ tcp: socket(ANY, 80, 11), tcp6: socket(ANY6, 80, 12) }),
    ...holder(900, 'nginx', 11, 12),
    ...holder(901, 'nginx', 11, 12),
  };
  t.deepEqual(await saysOf(t, listening, files, root), {
    listening: [{ protocol: 'tcp', port: 80, address: 'any', program: 'nginx' }],
  });
});

test('the older of two processes that share a socket is told: systemd, where it listens for others', async (t) => {
  const files = { ...tables({ tcp: socket(ANY, 631, 11) }), ...holder(1, 'systemd', 11), ...holder(1000, 'cupsd', 11) };
  t.like(await saysOf(t, listening, files, root), { listening: [{ program: 'systemd' }] });
});

test('loopback, multicast and connections are left out, and ports are in order', async (t) => {
  const files = {
    ...tables({
      tcp: socket('0100007F', 631, 1) + socket('0101A8C0', 8080, 2) + socket(ANY, 22, 3) + socket(ANY, 5432, 4, '01'),
      udp: socket('3500007F', 53, 5, OPEN) + socket('FB0000E0', 5353, 6, OPEN) + socket(ANY, 5353, 7, OPEN),
    }),
    ...holder(5, 'many', 1, 2, 3, 4, 5, 6, 7),
  };
  t.deepEqual(await saysOf(t, listening, files, root), {
    listening: [
      { protocol: 'tcp', port: 22, address: 'any', program: 'many' },
      { protocol: 'tcp', port: 8080, address: 'private', program: 'many' },
      { protocol: 'udp', port: 5353, address: 'any', program: 'many' },
    ],
  });
});

test('a UDP client on a port that the kernel chose is no service, but the kernel itself on one is', async (t) => {
  const udp = socket(ANY, 40_000, 5, OPEN) + socket(ANY, 51_820, 0, OPEN) + socket(ANY, 123, 8, OPEN);
  t.deepEqual(await saysOf(t, listening, { ...tables({ udp }), ...holder(5, 'chronyd', 5, 8) }, root), {
    listening: [
      { protocol: 'udp', port: 123, address: 'any', program: 'chronyd' },
      { protocol: 'udp', port: 51_820, address: 'any', program: 'kernel' },
    ],
  });
});

test('which ports the kernel chooses from is its own setting', async (t) => {
  const udp = socket(ANY, 40_000, 5, OPEN) + socket(ANY, 20_000, 6, OPEN);
  const range = { '/proc/sys/net/ipv4/ip_local_port_range': '10000\t30000\n' };
  t.like(await saysOf(t, listening, { ...tables({ udp }), ...range, ...holder(5, 'x', 5, 6) }, root), {
    listening: [{ port: 40_000 }],
  });
});

test('a TCP port from that range is a service like any other', async (t) => {
  const files = { ...tables({ tcp: socket(ANY, 40_000, 5) }), ...holder(5, 'rpc.statd', 5) };
  t.like(await saysOf(t, listening, files, root), { listening: [{ port: 40_000, program: 'rpc.statd' }] });
});

test('whose socket it is stays unknown to all but root', async (t) => {
  t.deepEqual(await saysOf(t, listening, tables({ tcp: socket(ANY, 22, 3) }), { isRoot: false }), {
    listening: [{ protocol: 'tcp', port: 22, address: 'any', program: 'unknown' }],
    reasons: { 'listening.0.program': 'only root sees who holds the sockets of others' },
  });
});

test('nothing that listens is an answer, and tables that are not there are none', async (t) => {
  t.deepEqual(await saysOf(t, listening, tables({}), root), { listening: [] });
  t.like(await saysOf(t, listening, {}, root), { listening: 'unknown' });
});

test('whoever opens sockets for their own sake fills no report', async (t) => {
  const tcp = Array.from({ length: 600 }, (_, index) => socket(ANY, 1000 + index, index + 1)).join('');
  t.like(await saysOf(t, listening, tables({ tcp }), root), {
    listening: 'unknown',
    reasons: { listening: 'more than 500 sockets are open' },
  });
});

/** Processes with so many files of no interest, as the kernel lists them, counted as they are looked at. */
function crowd(inside: HostAccess, count: number, files: number, cgroup = '0::/user.slice/user-1000.slice/x.scope\n') {
  const seen = { links: 0 };
  const ofCrowd = (path: string) => {
    const pid = Number(/^\/proc\/(\d+)\//.exec(path)?.[1]);
    return pid >= 100 && pid < 100 + count;
  };
  const host: HostAccess = {
    ...inside,
    isRoot: true,
    list: async (path, options = {}) => {
      if (ofCrowd(path)) return Array.from({ length: Math.min(files, options.max ?? files) }, (_, n) => `${n}`);
      const names = await inside.list(path, options);
      return path === '/proc' ? [...(names ?? []), ...Array.from({ length: count }, (_, n) => `${100 + n}`)] : names;
    },
    readLink: async (path) => {
      if (!ofCrowd(path)) return inside.readLink(path);
      seen.links += 1;
      return path.endsWith('/fd/1000') ? `socket:[${path.split('/')[2]}]` : '/dev/null';
    },
    readText: async (path, options) => {
      if (!ofCrowd(path)) return inside.readText(path, options);
      return path.endsWith('/cgroup') ? cgroup : 'crowd\n';
    },
  };
  return { host, seen };
}

const look = (host: HostAccess) => group('network', '', [listening]).collect(host, memory());

test('processes with half a million files each hide nobody behind them', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, { ...tables({ tcp: socket(ANY, 22, 11) }), ...holder(900, 'sshd', 11) });
  const { host, seen } = crowd(hostInFolder(t, folder), 100, 500_000);
  t.like(await look(host), { listening: [{ port: 22, program: 'sshd' }] });
  t.true(seen.links <= 100 * 64, `${seen.links}`);
});

test('nor do many processes with some, and all of that has an end', async (t) => {
  const folder = await scratchFolder(t);
  const tcp = socket(ANY, 22, 11) + socket(ANY, 23, 12);
  await plant(folder, {
    ...tables({ tcp }),
    ...holder(5000, 'sshd', 11),
    '/proc/5000/cgroup': '0::/system.slice/ssh.service\n',
  });
  const { host, seen } = crowd(hostInFolder(t, folder), 3000, 100);
  t.like(await look(host), {
    listening: [
      { port: 22, program: 'sshd' },
      { port: 23, program: 'unknown' },
    ],
  });
  t.true(seen.links < 110_000, `${seen.links}`);
});

test('a service that holds many files itself is found', async (t) => {
  const folder = await scratchFolder(t);
  await plant(folder, tables({ tcp: socket(ANY, 80, 101) }));
  const { host } = crowd(hostInFolder(t, folder), 2, 100_000, '0::/system.slice/proxy.service\n');
  t.like(await look(host), { listening: [{ port: 80, program: 'crowd' }] });
});

const SCRIPT = `
import socket, sys
sockets = []
for family, kind, address in [(socket.AF_INET, socket.SOCK_STREAM, '0.0.0.0'), (socket.AF_INET6, socket.SOCK_STREAM, '::'), (socket.AF_INET, socket.SOCK_STREAM, '127.0.0.1')]:
    s = socket.socket(family, kind)
    if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 6379 if address != '127.0.0.1' else 6380))
    s.listen()
    sockets.append(s)
for port in (5353, 0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('0.0.0.0', port))
    sockets.append(s)
print('ready', flush=True)
sys.stdin.read()
`;
const isRoot = process.getuid?.() === 0;
const real = whenPresent(
  isRoot && existsSync('/usr/bin/python3') && existsSync('/usr/bin/unshare'),
  'root, python3 and unshare',
);

real(
  'real sockets in a network namespace of their own: what a client, loopback and a second family add is left out',
  async (t) => {
    const up = 'ip link set lo up 2>/dev/null; exec python3 -c "$0"';
    const child = spawn('/usr/bin/unshare', ['-n', '/bin/sh', '-c', up, SCRIPT], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    t.teardown(() => child.kill());
    await once(child.stdout, 'data');
    const host = thisHost(t);
    const inside = (path: string) => path.replace(/^\/proc\/net\//, `/proc/${child.pid}/net/`);
    const said = await group('network', '', [listening]).collect(
      { ...host, readText: (path, options) => host.readText(inside(path), options) },
      memory(),
    );
    t.deepEqual(said, {
      listening: [
        { protocol: 'tcp', port: 6379, address: 'any', program: 'python3' },
        { protocol: 'udp', port: 5353, address: 'any', program: 'python3' },
      ],
    });
  },
);
