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
