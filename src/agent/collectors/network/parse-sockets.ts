import { endianness } from 'node:os';

/** A socket that waits for whoever comes. */
export interface WaitingSocket {
  protocol: 'tcp' | 'udp';
  /** bytes of the local address: 4, or 16 */
  address: readonly number[];
  port: number;
  /** of the socket's file; 0 where the kernel itself holds it (WireGuard, VXLAN) */
  inode: string;
}

/** TCP_LISTEN; and TCP_CLOSE, which is what a UDP socket has that is connected to nobody (net/tcp_states.h). */
const WAITING = { tcp: '0A', udp: '07' };

/** Reads /proc/net/tcp, tcp6, udp or udp6 (proc(5)); a line that is none of theirs is passed over. */
export function parseSockets(text: string, protocol: 'tcp' | 'udp', order = endianness()): WaitingSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [, hex, port] = /^((?:[0-9A-F]{8}){1,4}):([0-9A-F]{4})$/.exec(local) ?? [];
    if (hex === undefined || port === undefined || state !== WAITING[protocol] || !/^\d+$/.test(inode)) return [];
    if (hex.length !== 8 && hex.length !== 32) return [];
    return [{ protocol, address: bytesOf(hex, order), port: Number.parseInt(port, 16), inode }];
  });
}

/** Groups of four bytes, each printed as one number of this machine's. */
function bytesOf(hex: string, order: 'BE' | 'LE'): number[] {
  const words = hex.match(/.{8}/g) ?? [];
  return words.flatMap((word) => {
    const bytes = (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
    return order === 'LE' ? bytes.reverse() : bytes;
  });
}

/** From where an address can be reached: `any` is every address of the machine. */
export type AddressClass = 'any' | 'link_local' | 'loopback' | 'multicast' | 'private' | 'public';

export function classOf(address: readonly number[]): AddressClass {
  const inner = address.length === 16 && isMapped(address) ? address.slice(12) : address;
  return inner.length === 4 ? classOfIpv4(inner) : classOfIpv6(inner);
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2) */
function isMapped(address: readonly number[]): boolean {
  return address.slice(0, 10).every((byte) => byte === 0) && address[10] === 255 && address[11] === 255;
}

/** RFC 6890's registry, as far as it tells who can come: RFC 1918 and 6598 (carriers' networks) are private. */
function classOfIpv4([first = 0, second = 0, ...rest]: readonly number[]): AddressClass {
  if (first === 0 && second === 0 && rest.every((byte) => byte === 0)) return 'any';
  if (first === 127) return 'loopback';
  if (first >= 224 && first < 240) return 'multicast';
  if (first === 169 && second === 254) return 'link_local';
  const isPrivate =
    first === 10 ||
    (first === 172 && second >= 16 && second < 32) ||
    (first === 192 && second === 168) ||
    (first === 100 && second >= 64 && second < 128);
  return isPrivate ? 'private' : 'public';
}

function classOfIpv6(address: readonly number[]): AddressClass {
  const [first = 0, second = 0] = address;
  if (address.slice(0, 15).every((byte) => byte === 0)) {
    if (address[15] === 0) return 'any';
    if (address[15] === 1) return 'loopback';
  }
  if (first === 0xff) return 'multicast';
  if (first === 0xfe && (second & 0xc0) === 0x80) return 'link_local';
  return (first & 0xfe) === 0xfc ? 'private' : 'public';
}
