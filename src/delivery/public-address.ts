import { BlockList, isIP, isIPv6 } from 'node:net';
import { parseAddressRange } from '../settings/address-range.ts';

/** IANA's special-purpose registry (RFC 6890 and its updates), multicast and what is reserved: none of it is somebody else's server. */
const NOT_PUBLIC = blockList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Teredo, benchmarking, ORCHID and others; documentation
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
]);

/** RFC 4291 section 2.5.4: all that is global unicast today. What lies outside (::1, fe80::, fc00::, ff00::, ::a.b.c.d) is refused. */
const GLOBAL_UNICAST = blockList(['2000::/3']);

/** Whether nobody but the public internet is at that address. One that holds an IPv4 address is as public as that one. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  const inner = isIPv6(address) ? embeddedIPv4(address) : undefined;
  if (inner !== undefined) return isPublicAddress(inner);
  if (!isIPv6(address)) return !NOT_PUBLIC.check(address, 'ipv4');
  return GLOBAL_UNICAST.check(address, 'ipv6') && !NOT_PUBLIC.check(address, 'ipv6');
}

/** Whether an address is in one of these ranges; an IPv4-mapped one counts as what it maps. */
export function isInRanges(address: string, ranges: readonly string[]): boolean {
  if (isIP(address) === 0) return false;
  const mapped = isIPv6(address) ? mappedIPv4(groupsOf(address)) : undefined;
  const plain = mapped ?? address;
  return blockList(ranges).check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of ranges) {
    const range = parseAddressRange(text);
    if (range === undefined) throw new TypeError(`expected an address or range, got ${text}`);
    list.addSubnet(range.address, range.prefix, range.family);
  }
  return list;
}

/** IPv4-mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96, RFC 6052) and 6to4 (2002::/16, RFC 3056). */
function embeddedIPv4(address: string): string | undefined {
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0] = groups;
  if (first === 0x2002) return dotted(second, third);
  const isNat64 = first === 0x64 && second === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  return isNat64 ? dotted(groups[6] ?? 0, groups[7] ?? 0) : mappedIPv4(groups);
}

function mappedIPv4(groups: readonly number[]): string | undefined {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? dotted(groups[6] ?? 0, groups[7] ?? 0) : undefined;
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** The eight groups of an IPv6 address; the URL parser writes the dotted tail as groups. */
function groupsOf(address: string): number[] {
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = plain.split('::');
  const read = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [before, after] = [read(head), read(tail ?? '')];
  return tail === undefined ? before : [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}
