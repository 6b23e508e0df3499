import type { HostFacts } from '../core/host.ts';
import type { Store } from '../store/port.ts';

const AT_ONCE = 250;

/** What is known of these hosts, those that there are. */
export async function hostsNamed(
  { hosts }: Pick<Store, 'hosts'>,
  names: ReadonlySet<string>,
  checks: readonly string[],
): Promise<Map<string, HostFacts>> {
  const wanted = [...names];
  const found = new Map<string, HostFacts>();
  for (let from = 0; from < wanted.length; from += AT_ONCE) {
    const hostnames = wanted.slice(from, from + AT_ONCE);
    for await (const host of hosts.facts({ hostnames }, checks)) found.set(host.hostname, host);
  }
  return found;
}
