import { days } from '../core/duration.ts';
import { ORDER_STATES } from '../core/order.ts';
import { LONGEST_ORDER_DAYS } from '../wire/v2/order.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { hostsNamed } from './hosts-named.ts';
import { raise } from './raise.ts';

/**
 * Raises `pending-patches` for each host that has not taken a patch yet, of v1 or by an order of v2. The patches are looked at anew at each run, so that one
 * that an operator closed opens again as long as they wait: what helps is `issues snooze`, or `orders cancel`.
 */
export async function findPending(deps: AuditDeps, at: Date, changes: Changes): Promise<void> {
  const waiting = new Set(await deps.store.patches.pendingHosts());
  for (const hostname of await hostsWithOrders(deps, at)) waiting.add(hostname);
  await raise(deps, 'pending-patches', new Map([...waiting].map((hostname) => [hostname, at])), at, changes);
}

/** Failed and refused ones are not taken either; what came to its end otherwise nobody waits for. */
const NOT_TAKEN = ORDER_STATES.filter((state) => !['done', 'cancelled', 'expired'].includes(state));

async function hostsWithOrders({ store }: AuditDeps, at: Date): Promise<Iterable<string>> {
  const names = new Set<string>();
  const oldest = new Date(at.getTime() - days(LONGEST_ORDER_DAYS));
  for await (const { id, made_at, expires_at, cancelled_at } of store.orders.list({ kinds: ['patch'] })) {
    // newest first: older ones have all expired
    if (made_at < oldest) break;
    if (cancelled_at !== undefined || expires_at <= at) continue;
    for await (const { hostname } of store.orders.targets({ order: id, states: NOT_TAKEN })) names.add(hostname);
  }
  // a host may have been forgotten since
  return (await hostsNamed(store, names, [])).keys();
}
