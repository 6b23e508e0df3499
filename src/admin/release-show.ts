import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { Order } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import { manifestOf } from './find-order.ts';
import { readCount } from './read-count.ts';
import { compareReleases } from './release-files.ts';
import { printFacts, showManifest } from './show-manifest.ts';

export function releaseShow(context: AdminContext): Command {
  return new Command('show')
    .description('a release: its files, and what differs from the one before')
    .argument('[number]', 'which one (the last)', readCount)
    .addHelpText('after', EXAMPLES)
    .action((number: number | undefined) => show(context, number));
}

const EXAMPLES = `
penguindome orders show has what became of it on each host.

Examples:
  penguindome release show
  penguindome release show 4 --json | jq .difference`;

async function show({ output, store }: AdminContext, number: number | undefined): Promise<void> {
  const found: Order[] = [];
  for await (const order of (await store()).orders.list({ kinds: ['release'] })) {
    const wanted = number === undefined ? order.cancelled_at === undefined : order.release === number;
    if (found.length > 0 || wanted) found.push(order);
    if (found.length === 2) break;
  }
  const [order, before] = found;
  if (order === undefined) {
    if (number === undefined && output.wantsJson) return output.json(null);
    if (number === undefined) return output.note('no release yet');
    throw new OperatorError(`cannot find release ${number}; \`penguindome release list\` shows those there are`);
  }
  const manifest = manifestOf(order);
  const difference = compareReleases(before === undefined ? [] : manifestOf(before).files, manifest.files);
  if (output.wantsJson) return output.json({ order: order.id, release: order.release, manifest, difference });
  printFacts(output, showManifest(manifest));
  for (const path of difference.added) output.line(`+ ${path}`);
  for (const path of difference.changed) output.line(`~ ${path}`);
  for (const path of difference.removed) output.line(`- ${path}`);
}
