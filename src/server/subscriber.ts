import { isIPv6 } from 'node:net';

/** Whom an address counts for: itself, or its /64 of IPv6 (what one subscriber has). */
export function subscriberOf(address: string): string {
  return isIPv6(address) ? network(address) : address;
}

/** The first four of the eight groups (RFC 4291 section 2.2). */
function network(address: string): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = head === '' ? [] : head.split(':');
  // A dotted end stands for two groups.
  const after = tail === undefined || tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - groups.length - after }, () => '0');
  return [...groups, ...zeros, ...(tail ?? '').split(':')]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
