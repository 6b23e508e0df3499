import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { type AddressClass, classOf, parseSockets, type WaitingSocket } from './parse-sockets.ts';
import { holdersOf } from './processes.ts';

/** What can be reached from another machine, or from one on the same cable. */
export const listening: Fact = { name: 'listening', look: lookAtSockets };

interface Listener {
  protocol: 'tcp' | 'udp';
  port: number;
  address: AddressClass;
  program: unknown;
}

const TABLES = [
  ['tcp', 'tcp'],
  ['tcp6', 'tcp'],
  ['udp', 'udp'],
  ['udp6', 'udp'],
] as const;
const KERNEL = '0';
/** More are no services, but somebody who opens sockets for its own sake. */
const MOST = 500;
const LARGEST_TABLE = 8 * 1024 * 1024;

async function lookAtSockets(host: HostAccess): Promise<unknown> {
  const texts = await Promise.all(TABLES.map(([file]) => textOf(host, `/proc/net/${file}`, LARGEST_TABLE)));
  // Without IPv6 its two tables are not there; the others always are.
  if (texts[0] === undefined || texts[2] === undefined) return unknown('cannot read /proc/net/tcp and /proc/net/udp');
  const ephemeral = parseRange((await textOf(host, '/proc/sys/net/ipv4/ip_local_port_range')) ?? '');
  const sockets = TABLES.flatMap(([, protocol], index) => parseSockets(texts[index] ?? '', protocol));
  const open = sockets.filter((socket) => isReachable(socket) && !isClient(socket, ephemeral));
  if (open.length > MOST) return unknown(`more than ${MOST} sockets are open`);
  const holders = await holdersOf(host, new Set(open.map(({ inode }) => inode).filter((inode) => inode !== KERNEL)));
  return distinct(open.map((socket) => listenerOf(socket, holders, host.isRoot)));
}

/** Sockets of multicast addresses hear only what is said to all (browsers look for printers so). */
function isReachable({ address }: WaitingSocket): boolean {
  return !['loopback', 'multicast'].includes(classOf(address));
}

/**
 * A UDP client that is connected to nobody looks like a server. What tells them apart is the port: one of those that the kernel gives to
 * whoever asks for none. The kernel's own sockets are no clients: WireGuard's usual port, 51820, is in that range.
 */
function isClient({ protocol, port, inode }: WaitingSocket, [from, to]: readonly [number, number]): boolean {
  return protocol === 'udp' && inode !== KERNEL && port >= from && port <= to;
}

/** `32768	60999`, which is also what the kernel starts with */
function parseRange(text: string): [number, number] {
  const [, from, to] = /^(\d{1,5})\s+(\d{1,5})\s*$/.exec(text) ?? [];
  return [Number(from ?? 32768), Number(to ?? 60999)];
}

function listenerOf(
  { protocol, port, address, inode }: WaitingSocket,
  holders: Map<string, string>,
  isRoot: boolean,
): Listener {
  const held = inode === KERNEL ? 'kernel' : holders.get(inode);
  const hidden = isRoot
    ? 'none of the processes that were looked at holds it'
    : 'only root sees who holds the sockets of others';
  return { protocol, port, address: classOf(address), program: held ?? unknown(hidden) };
}

/** IPv4 and IPv6, workers, and several addresses of one class are one service. */
function distinct(listeners: readonly Listener[]): Listener[] {
  const byKey = new Map<string, Listener>();
  for (const listener of listeners) {
    const { protocol, port, address, program } = listener;
    const name = typeof program === 'string' ? program : '';
    byKey.set(`${protocol} ${String(port).padStart(5, '0')} ${address} ${name}`, listener);
  }
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, listener]) => listener);
}
