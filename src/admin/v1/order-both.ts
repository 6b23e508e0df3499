import { OperatorError } from '../../core/errors.ts';
import type { Order } from '../../core/order.ts';
import type { PatchRecord } from '../../core/patch.ts';
import type { AdminContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { makeOrder, type OrderPlan } from '../make-order.ts';
import type { OrderOptions } from '../order-options.ts';
import type { Targets } from '../order-targets.ts';
import { checkWish, makePatch, type Wish } from './make-patch.ts';
import { openSigner } from './open-signer.ts';

/** What was ordered: at least one of them. */
export interface Ordered {
  targets: Targets;
  /** of hosts that have enrolled */
  order?: Order;
  /** of hosts that run the original client */
  patch?: PatchRecord;
}

/**
 * Has hosts of both kinds do the same: a signed order for those that have enrolled, a patch for those that run the original client.
 * What can fail for either fails before anything is stored.
 * @param wish the same in the original client's terms; throws where there are none
 */
export async function orderBoth(
  context: AdminContext,
  { targets, wish, ...plan }: Omit<OrderPlan, 'targets'> & { targets: Targets; wish: () => Wish },
): Promise<Ordered> {
  const patchFor = targets.v1.length === 0 ? undefined : wish();
  if (patchFor !== undefined) {
    refuseUnknown(targets.v1, plan.options);
    checkWish(patchFor);
    await openSigner(context);
  }
  const order = targets.v2.length === 0 ? undefined : await makeOrder(context, { ...plan, targets: targets.v2 });
  if (patchFor === undefined) return { targets, ...(order === undefined ? {} : { order }) };
  const how = { hosts: targets.v1, by: await context.operator(), why: plan.options.why ?? '' };
  const patch = await makePatch(context, patchFor, how);
  return { targets, patch, ...(order === undefined ? {} : { order }) };
}

/** The original client knows neither a time to wait for nor other signatures than the server's. */
function refuseUnknown(hosts: readonly string[], { notBefore, signWith }: OrderOptions): void {
  const flag = notBefore !== undefined ? '--not-before' : signWith !== undefined ? '--sign-with' : undefined;
  if (flag === undefined) return;
  throw new OperatorError(
    `cannot use ${flag}: the original client, which ${hosts.slice(0, 3).join(', ')}${hosts.length > 3 ? ', …' : ''} still run, does not know it; ` +
      'order it of the other hosts alone (--host), and of these without it',
    { exitCode: EXIT.usage },
  );
}
