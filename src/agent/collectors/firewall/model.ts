/**
 * What of a packet filter decides over the one packet that we ask about (the *probe*): the first packet of a TCP connection that
 * comes from somewhere outside, to this machine, to a port that nobody named. A firewall is on where that packet does not get in.
 *
 * A condition *holds* for the probe, does *not*, or *may*: where the tool does not tell, or we do not know that kind.
 */

export type Family = 'ip' | 'ip6';

export interface Probe {
  family: Family;
  /** that it comes in by; undefined: one that no rule names */
  device: string | undefined;
}

export type Holds = 'yes' | 'no' | 'maybe';

export type Condition = (probe: Probe) => Holds;

export type Action =
  | { do: 'accept' | 'block' | 'return' | 'continue' | 'unknown' }
  | { do: 'jump' | 'goto'; chain: string };

export interface Rule {
  /** all must hold */
  conditions: Condition[];
  action: Action;
}

/** A chain that the kernel hands packets for this machine to. */
export interface Entrance {
  families: readonly Family[];
  chain: string;
  policy: 'accept' | 'block';
}

export interface Filter {
  chains: ReadonlyMap<string, Rule[]>;
  entrances: readonly Entrance[];
}

export const always: Condition = () => 'yes';
export const never: Condition = () => 'no';
export const perhaps: Condition = () => 'maybe';

export function not(condition: Condition): Condition {
  const opposite = { yes: 'no', no: 'yes', maybe: 'maybe' } as const;
  return (probe) => opposite[condition(probe)];
}

export function when(holds: boolean): Condition {
  return holds ? always : never;
}

/** @param names of devices; one that ends in `wildcard` stands for all that start so */
export function comesInBy(names: readonly string[], wildcard: '+' | '*'): Condition {
  return ({ device }) => {
    if (names.includes(wildcard)) return 'yes';
    if (device === undefined) return 'no';
    const fits = names.some((name) =>
      name.endsWith(wildcard) ? device.startsWith(name.slice(0, -1)) : name === device,
    );
    return fits ? 'yes' : 'no';
  };
}

/** Ports that nobody named: a rule for most of them is a rule for the probe. */
export function coversMostPorts(first: number, last: number): boolean {
  return last - first > 32_768;
}

/** Addresses that nobody named: a rule for an eighth of all of them (2000::/3 is all of today's IPv6) is a rule for the probe. */
const WIDEST_PREFIX = 3;

export function coversManyByPrefix(length: number): boolean {
  return length <= WIDEST_PREFIX;
}

/** @param first, last of IPv4 or IPv6, as text */
export function coversManyByRange(first: string, last: string): boolean {
  const [from, to] = [eighthOf(first), eighthOf(last)];
  return from !== undefined && to !== undefined && to > from;
}

/** In which eighth of all addresses it lies. */
function eighthOf(address: string): number | undefined {
  const [, octet] = /^(\d{1,3})\.\d+\.\d+\.\d+$/.exec(address) ?? [];
  if (octet !== undefined) return Math.floor(Number(octet) / 32);
  if (address.startsWith('::')) return 0;
  const [, group] = /^([0-9a-f]{1,4}):/i.exec(address) ?? [];
  return group === undefined ? undefined : Math.floor(Number.parseInt(group, 16) / 0x2000);
}

/** Loopback, multicast, broadcast, and addresses of the link: nothing from outside goes there. */
export function isNeverOutside(address: string): boolean {
  return /^(?:127\.|2(?:2[4-9]|[34]\d|5[0-5])\.|::1(?:\/|$)|ff|fe80)/i.test(address);
}
