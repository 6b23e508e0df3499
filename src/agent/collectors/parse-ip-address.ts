import { type Fields, isFields, type Value } from '../../core/value.ts';
import { parseJson } from './parse-json.ts';

/** An address in the words of Python's netifaces, which the original's stored reports use. */
export interface Address {
  addr: string;
  netmask?: string;
  broadcast?: string;
  peer?: string;
}

/** Linux's numbers of address families, as text: they are keys of JSON. */
export const FAMILY = { ipv4: '2', ipv6: '10', packet: '17' } as const;

export type Device = Record<string, Address[]>;

/**
 * Reads `ip -j address show`. Left out: loopback; IPv6 addresses that are temporary by design (RFC 8981: a new one every day) or not
 * yet checked for duplicates.
 * @returns undefined where the output is no such list
 */
export function parseIpAddress(output: string): Map<string, Device> | undefined {
  const links = parseJson(output);
  if (!Array.isArray(links)) return undefined;
  const devices = new Map<string, Device>();
  for (const link of links) {
    if (!isFields(link) || link['link_type'] === 'loopback') continue;
    const name = text(link, 'ifname');
    if (name !== undefined) devices.set(name, readLink(name, link));
  }
  return devices;
}

function readLink(name: string, link: Fields): Device {
  const addresses = Array.isArray(link['addr_info']) ? link['addr_info'].filter(isFields) : [];
  const lasting = addresses.filter((address) => address['temporary'] !== true && address['tentative'] !== true);
  return sortedDevice({
    [FAMILY.packet]: packetAddresses(link),
    [FAMILY.ipv4]: lasting.filter(({ family }) => family === 'inet').map(readIpv4),
    [FAMILY.ipv6]: lasting.filter(({ family }) => family === 'inet6').map((address) => readIpv6(name, address)),
  });
}

/** Families without an address are left out, and the rest is in an order that does not depend on the kernel's. */
export function sortedDevice(device: Device): Device {
  const families = Object.entries(device).filter(([, addresses]) => addresses.length > 0);
  return Object.fromEntries(
    families.map(([family, addresses]) => [family, [...addresses].sort((a, b) => (a.addr < b.addr ? -1 : 1))]),
  );
}

/** A Wi-Fi card that is looking for a network makes addresses up; then its own is the one that lasts. */
function packetAddresses(link: Fields): Address[] {
  const own = link['operstate'] === 'UP' ? undefined : text(link, 'permaddr');
  const addr = own ?? text(link, 'address');
  // Tunnels have an IP address here, or none.
  if (addr === undefined || !/^[0-9a-f]{2}(?::[0-9a-f]{2}){5,}$/.test(addr)) return [];
  const broadcast = text(link, 'broadcast');
  return [{ addr, ...(broadcast === undefined ? {} : { broadcast }) }];
}

function readIpv4(address: Fields): Address {
  const broadcast = text(address, 'broadcast');
  const peer = text(address, 'address');
  return {
    addr: text(address, 'local') ?? '',
    netmask: ipv4Netmask(prefixOf(address)),
    ...(broadcast === undefined ? {} : { broadcast }),
    ...(peer === undefined ? {} : { peer }),
  };
}

function readIpv6(device: string, address: Fields): Address {
  const local = text(address, 'local') ?? '';
  const scoped = address['scope'] === 'link' ? `${local}%${device}` : local;
  return { addr: scoped, netmask: ipv6Netmask(prefixOf(address)) };
}

export function ipv4Netmask(prefix: number): string {
  return [0, 8, 16, 24].map((start) => 256 - 2 ** (8 - Math.min(8, Math.max(0, prefix - start)))).join('.');
}

/** `ffff:ffff:ffff:ffff::/64`, which is how netifaces writes it. */
export function ipv6Netmask(prefix: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => {
    const bits = Math.min(16, Math.max(0, prefix - index * 16));
    return (0x10000 - 2 ** (16 - bits)).toString(16);
  });
  const filled = groups.filter((group) => group !== '0').length;
  const written = filled === 8 ? groups.join(':') : `${groups.slice(0, filled).join(':')}${filled === 7 ? ':0' : '::'}`;
  return `${written}/${prefix}`;
}

function prefixOf(address: Fields): number {
  return typeof address['prefixlen'] === 'number' ? address['prefixlen'] : 0;
}

function text(fields: Fields, key: string): string | undefined {
  const value: Value | undefined = fields[key];
  return typeof value === 'string' ? value : undefined;
}
