import type { IdentityEvent, IdentityLog } from '../store/identity-log.ts';

/** Appends those that the list lacks, and rewrites nothing: a server may append to it meanwhile. */
export async function addIdentities(list: IdentityLog, events: readonly IdentityEvent[]): Promise<void> {
  const known = new Set((await list.read()).events.map((event) => JSON.stringify(event)));
  for (const event of events) {
    if (!known.has(JSON.stringify(event))) await list.append(event);
  }
}
