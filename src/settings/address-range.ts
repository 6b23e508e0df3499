import { isIP } from 'node:net';
import IPCIDR from 'ip-cidr';

/** Addresses that begin alike. */
export interface AddressRange {
  family: 'ipv4' | 'ipv6';
  address: string;
  /** how many bits of it count */
  prefix: number;
}

/**
 * Reads `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`.
 * @param options.everybody whether it may be the range that holds everybody
 * @returns undefined for what is none
 */
export function parseAddressRange(text: string, { everybody = false } = {}): AddressRange | undefined {
  const [address = '', length] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined;
  try {
    const range = new IPCIDR(length === undefined ? `${address}/${version === 4 ? 32 : 128}` : text);
    // ip-cidr makes an IPv4 address of an IPv4-mapped one, and loses the length: such ranges are to be written as IPv4.
    if (range.address.v4 !== (version === 4) || (range.address.subnetMask === 0 && !everybody)) return undefined;
    return { family: version === 4 ? 'ipv4' : 'ipv6', address, prefix: range.address.subnetMask };
  } catch {
    return undefined;
  }
}
