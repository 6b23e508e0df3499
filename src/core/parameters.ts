/**
 * What an operator says of a host (collection `client_parameters`, one document for each host and parameter, values always a list):
 * `user_clients`: the other machines of its user; `user_email`: the user's mail address.
 */
export const PARAMETERS = ['user_clients', 'user_email'] as const;
export type ParameterName = (typeof PARAMETERS)[number];

export interface ClientParameter {
  hostname: string;
  parameter: ParameterName;
  value: string[];
}

export function isParameter(name: string): name is ParameterName {
  return PARAMETERS.some((known) => known === name);
}

/** Host → the hosts that it is linked with. */
export type Links = ReadonlyMap<string, readonly string[]>;

/**
 * Links are mutual: to link a host makes one group of it and the others, in which each is linked with each. Whoever was linked with one
 * of the group and is not in it loses that link. To link a host with none takes it out of its group.
 * @returns what changes, that host's own included; null: linked with none
 */
export function linkChanges(links: Links, hostname: string, others: readonly string[]): Map<string, string[] | null> {
  const group = [...new Set([hostname, ...others])].sort();
  const wanted = new Map(group.map((member) => [member, group.filter((other) => other !== member)]));
  for (const [host, known] of links) {
    if (!wanted.has(host)) wanted.set(host, known.filter((other) => !group.includes(other)).sort());
  }
  const changes = new Map<string, string[] | null>();
  for (const [host, list] of wanted) {
    const known = [...(links.get(host) ?? [])].sort();
    if (known.join() !== list.join()) changes.set(host, list.length === 0 ? null : list);
  }
  return changes;
}

/** The same lists after a host got another name. */
export function renamedLink(list: readonly string[], from: string, to: string): string[] {
  return [...new Set(list.map((name) => (name === from ? to : name)))].sort();
}
