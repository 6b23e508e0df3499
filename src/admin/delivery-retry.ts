import { Command } from 'commander';
import type { OutboxEntry } from '../core/delivery.ts';
import { OperatorError } from '../core/errors.ts';
import type { OutboxStore } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';

export function deliveryRetry(context: AdminContext): Command {
  return new Command('retry')
    .description('try now what waits to be delivered, what was given up too')
    .argument('[id]', 'only this one, as `delivery list` shows it, and what goes in the same mail')
    .option('--due', 'only what is due by itself: for a timer')
    .addHelpText('after', EXAMPLES)
    .action((id: string | undefined, { due }: { due?: true }) => retry(context, id, due === true));
}

const EXAMPLES = `
The audit's own runs try what is due. What another run has under way is left to it, for a few minutes at most.
Exit status: 0 where nothing failed, 1 where something still waits or was given up.

Examples:
  penguindome delivery retry
  penguindome delivery retry 3f2a91c0de7b
  penguindome delivery retry --due`;

async function retry(context: AdminContext, id: string | undefined, due: boolean): Promise<void> {
  if (id !== undefined && due) {
    throw new OperatorError('cannot retry: expected an id or --due, not both', { exitCode: EXIT.usage });
  }
  const { outbox } = await context.store();
  if (!due) await outbox.revive(id === undefined ? undefined : [await messageOf(outbox, id)], context.clock.now());
  const { output } = context;
  const sent = await (await context.delivery()).send();
  if (output.wantsJson) output.json(sent);
  else {
    for (const problem of sent.problems) output.note(problem);
    output.line(`${sent.delivered} delivered, ${sent.failed} failed, ${sent.given_up} given up`);
  }
  if (sent.failed + sent.given_up > 0) {
    throw new OperatorError('cannot deliver everything now; penguindome delivery list shows what waits and why');
  }
}

const SHORTEST_ID = 6;

async function messageOf(outbox: OutboxStore, id: string): Promise<string> {
  if (!/^[0-9a-f]+$/.test(id) || id.length < SHORTEST_ID) {
    throw new OperatorError(`cannot find ${id}: expected an id of ${SHORTEST_ID} or more letters from delivery list`);
  }
  const found: OutboxEntry[] = [];
  for await (const entry of outbox.list({ delivered: false })) if (entry.key.startsWith(id)) found.push(entry);
  const [first, second] = found;
  if (first === undefined) throw new OperatorError(`cannot find ${id}: nothing of that id waits to be delivered`);
  if (second !== undefined) throw new OperatorError(`cannot tell which is meant: several ids begin with ${id}`);
  return first.message;
}
