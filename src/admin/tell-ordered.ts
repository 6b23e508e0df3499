import type { Order } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import type { Target } from './order-targets.ts';
import { showTime } from './show-time.ts';
import type { Ordered } from './v1/order-both.ts';

/** An order that was made just now, for --json. */
export function orderedJson({ id, kind, release, not_before, expires_at }: Order, targets: readonly Target[]) {
  return {
    order: id,
    kind,
    ...(release === undefined ? {} : { release }),
    not_before: not_before ?? null,
    expires_at,
    hosts: targets.map(({ hostname, host_id }) => ({ hostname, host_id })),
  };
}

/** The same of all that was ordered. */
export function allOrderedJson({ targets, order, patch }: Ordered): object {
  return {
    ...(order === undefined ? { order: null } : orderedJson(order, targets.v2)),
    ...(patch === undefined ? {} : { v1: { patch: patch.id, command: patch.command, hosts: patch.pending_hosts } }),
  };
}

/** Where nobody waits for what becomes of it. */
export function tellOrdered({ output }: AdminContext, ordered: Ordered): void {
  if (output.wantsJson) {
    output.json(allOrderedJson(ordered));
    return;
  }
  const { targets, order, patch } = ordered;
  if (order !== undefined) {
    const whom = countHosts(targets.v2.map(({ hostname }) => hostname));
    output.line(`order ${order.id} is for ${whom} to fetch, until ${showTime(order.expires_at)}`);
    output.note(`See what becomes of it: penguindome orders show ${order.id}`);
  }
  if (patch !== undefined) {
    output.line(
      `patch ${patch.id} is for ${countHosts(targets.v1)} to fetch, by the original client, which knows neither expiry nor timeout`,
    );
    output.note(`See what becomes of it: penguindome orders show ${patch.id}`);
  }
}

function countHosts(hostnames: readonly string[]): string {
  return hostnames.length === 1 ? (hostnames[0] ?? '') : `${hostnames.length} hosts`;
}
