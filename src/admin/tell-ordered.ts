import type { Order } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import type { Target } from './order-targets.ts';
import { showTime } from './show-time.ts';

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

/** Where nobody waits for what becomes of it. */
export function tellOrdered({ output }: AdminContext, order: Order, targets: readonly Target[]): void {
  if (output.wantsJson) {
    output.json(orderedJson(order, targets));
    return;
  }
  const hosts = targets.length === 1 ? (targets[0]?.hostname ?? '') : `${targets.length} hosts`;
  output.line(`order ${order.id} is for ${hosts} to fetch, until ${showTime(order.expires_at)}`);
  output.note(`See what becomes of it: penguindome orders show ${order.id}`);
}
