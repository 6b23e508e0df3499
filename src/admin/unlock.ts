import { Command } from 'commander';
import type { AdminContext } from './context.ts';
import { makeOrder } from './make-order.ts';
import { addOrderOptions, type OrderOptions } from './order-options.ts';
import { selectHost } from './order-targets.ts';
import { tellOrdered } from './tell-ordered.ts';

/** `penguindome unlock HOST`: what a wipe by `lock` did is undone. */
export function unlock(context: AdminContext): Command {
  const verb = new Command('unlock')
    .description('let people in again on a machine that `penguindome wipe --method lock` has locked')
    .argument('<host>', 'its name');
  return addOrderOptions(verb, 'unlock')
    .addHelpText('after', EXAMPLES)
    .action(async (host: string, options: OrderOptions) => {
      const target = await selectHost(context, host);
      const order = await makeOrder(context, { content: { kind: 'unlock' }, targets: [target], files: [], options });
      tellOrdered(context, { order: order, targets: { v2: [target], v1: [] } });
    });
}

const EXAMPLES = `
Examples:
  penguindome unlock lap-17
  penguindome unlock lap-17 --why 'found in the lost property office'`;
