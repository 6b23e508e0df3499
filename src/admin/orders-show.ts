import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { isSameName } from '../core/host.ts';
import type { Order, OrderTarget } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import { findOrder, manifestOf } from './find-order.ts';
import { printFacts, showManifest } from './show-manifest.ts';
import { lapsed, printOutcomes } from './show-outcome.ts';
import { showTime } from './show-time.ts';
import { findPatch } from './v1/find-patch.ts';
import { showPatch } from './v1/show-patch.ts';

export function ordersShow(context: AdminContext): Command {
  return new Command('show')
    .description('an order: what it says, and what became of it on each host')
    .argument('<order>', 'its id, or the beginning of it')
    .option('--host <host>', 'only this host, with all that it reported')
    .addHelpText('after', EXAMPLES)
    .action((order: string, { host }: { host?: string }) => show(context, order, host));
}

const EXAMPLES = `
What hosts wrote is shown where there is one host, or --host names it; --json has all of it. penguindome orders verify checks signatures and files.

Examples:
  penguindome orders show 0199f3c2
  penguindome orders show 0199f3c2 --host lap-17
  penguindome orders show 0199f3c2 --json | jq -r '.targets[] | select(.state == "failed") | .hostname'`;

async function show(context: AdminContext, wanted: string, host: string | undefined): Promise<void> {
  const { output, clock } = context;
  const store = await context.store();
  const patch = await findPatch(store, wanted);
  if (patch !== undefined) return showPatch(context, patch, host);
  const order = await findOrder(store, wanted);
  const targets: OrderTarget[] = [];
  for await (const target of store.orders.targets({ order: order.id })) {
    if (host === undefined || isSameName(target.hostname, host)) targets.push(lapsed(target, order, clock.now()));
  }
  if (host !== undefined && targets.length === 0) {
    throw new OperatorError(`cannot find ${host} among the hosts of the order ${order.id}`);
  }
  if (output.wantsJson) return output.json(shownJson(order, targets));
  printFacts(output, [
    ...showManifest(manifestOf(order)),
    ['signatures', String(order.signatures.length)],
    ...(order.cancelled_at === undefined
      ? []
      : ([['cancelled', showTime(order.cancelled_at)]] satisfies [string, string][])),
  ]);
  printOutcomes(output, targets);
}

function shownJson({ manifest, ...order }: Order, targets: OrderTarget[]): object {
  return { ...order, manifest: manifestOf({ manifest, ...order }), targets };
}
