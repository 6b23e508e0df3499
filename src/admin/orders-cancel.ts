import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { isSettled } from '../core/order.ts';
import type { PatchRecord } from '../core/patch.ts';
import type { Store } from '../store/port.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { findOrder } from './find-order.ts';
import { findPatch } from './v1/find-patch.ts';

export function ordersCancel(context: AdminContext): Command {
  return new Command('cancel')
    .description('gives an order to nobody any more who has not fetched it')
    .argument('<order>', 'its id, or the beginning of it')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((order: string, options: { yes?: true }) => cancel(context, order, options));
}

const EXAMPLES = `
What a host has fetched it does: the answer says how many have.

Examples:
  penguindome orders cancel 0199f3c2`;

async function cancel(context: AdminContext, wanted: string, options: { yes?: true }): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const patch = await findPatch(store, wanted);
  if (patch !== undefined) return cancelPatch(context, store, patch, options);
  const { id, kind, cancelled_at, expires_at } = await findOrder(store, wanted);
  if (cancelled_at !== undefined) throw new OperatorError(`cannot cancel ${id}: it is cancelled already`);
  if (expires_at <= clock.now()) throw new OperatorError(`cannot cancel ${id}: it has expired`);
  await nameHosts(context, store, id);
  await confirm(context, `Give the order ${id} (${kind}) to nobody any more?`, options);
  const cancelled = await store.orders.cancel(id, clock.now());
  if (cancelled === undefined) throw new OperatorError(`cannot cancel ${id}: it is gone`);
  const left: string[] = [];
  for await (const { hostname, state } of store.orders.targets({ order: id }))
    if (!isSettled(state)) left.push(hostname);
  if (output.wantsJson) return output.json({ order: id, cancelled, fetched: left });
  output.line(`the order ${id} is cancelled: ${hosts(cancelled)} had not fetched it`);
  if (left.length > 0) output.note(`fetched before, and not done yet: ${left.join(', ')}; they go on`);
}

const hosts = (count: number) => (count === 1 ? 'one host' : `${count} hosts`);

async function nameHosts(context: AdminContext, { orders }: Store, order: string): Promise<void> {
  const names: string[] = [];
  for await (const { hostname } of orders.targets({ order })) names.push(hostname);
  context.concerns(names);
}

/** One for hosts that run the original client. */
async function cancelPatch(
  context: AdminContext,
  { patches }: Store,
  { id, pending_hosts, completed_hosts }: PatchRecord,
  options: { yes?: true },
): Promise<void> {
  const { output } = context;
  if (pending_hosts.length === 0) throw new OperatorError(`cannot cancel ${id}: no host has yet to fetch it`);
  context.concerns(pending_hosts);
  await confirm(context, `Give the patch ${id} to nobody any more?`, options);
  const cancelled = await patches.cancel(id);
  if (cancelled === undefined) throw new OperatorError(`cannot cancel ${id}: it is gone`);
  if (output.wantsJson) return output.json({ patch: id, cancelled: cancelled.length, fetched: completed_hosts });
  output.line(`the patch ${id} is cancelled: ${hosts(cancelled.length)} had not fetched it`);
}
