import { Command } from 'commander';
import type { Order, OrderState } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import { readCount } from './read-count.ts';
import { showTime } from './show-time.ts';

export function releaseList(context: AdminContext): Command {
  return new Command('list')
    .description('the releases, newest first: until when each counts, and how many hosts have it')
    .option('--limit <n>', 'how many at most', readCount, 20)
    .addHelpText('after', EXAMPLES)
    .action(({ limit }: { limit: number }) => list(context, limit));
}

const EXAMPLES = `
Examples:
  penguindome release list
  penguindome release list --json | jq '.[0].release'`;

async function list({ output, store, clock }: AdminContext, limit: number): Promise<void> {
  const releases: (Order & { counts: Partial<Record<OrderState, number>> })[] = [];
  for await (const order of (await store()).orders.list({ kinds: ['release'], limit })) releases.push(order);
  if (output.wantsJson) {
    return output.json(
      releases.map(({ manifest: _manifest, signatures, files, ...order }) => ({
        ...order,
        signatures: signatures.length,
        files: files.length,
      })),
    );
  }
  if (releases.length === 0)
    return output.note('no release yet; `penguindome release publish --help` says how one is made');
  output.table(
    ['RELEASE', 'MADE', 'BY', 'DONE', 'FAILED', 'UNTIL', 'ORDER', 'WHY'],
    releases.map(({ release, made_at, by, counts, cancelled_at, expires_at, id, why }) => [
      String(release ?? '-'),
      showTime(made_at),
      by,
      String(counts.done ?? 0),
      String((counts.failed ?? 0) + (counts.refused ?? 0)),
      cancelled_at !== undefined ? 'cancelled' : expires_at <= clock.now() ? 'expired' : showTime(expires_at),
      id,
      why === '' ? '-' : why,
    ]),
  );
}
