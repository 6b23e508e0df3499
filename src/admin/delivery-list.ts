import { Command } from 'commander';
import type { OutboxEntry } from '../core/delivery.ts';
import type { AdminContext } from './context.ts';
import { showTime, showWait } from './show-time.ts';

export function deliveryList(context: AdminContext): Command {
  return new Command('list')
    .description('the alerts that wait to be delivered, or were given up, and why')
    .option('--all', 'delivered ones too, as long as they are kept')
    .addHelpText('after', EXAMPLES)
    .action(({ all }: { all?: true }) => list(context, all === true));
}

const EXAMPLES = `
One line for each alert and receiver. What one mail holds has the same message in --json.

Examples:
  penguindome delivery list
  penguindome delivery list --all --json | jq '.[] | select(.channel == "webhook")'`;

async function list({ output, store, clock }: AdminContext, delivered: boolean): Promise<void> {
  const entries: OutboxEntry[] = [];
  for await (const entry of (await store()).outbox.list({ delivered })) entries.push(entry);
  if (output.wantsJson) return output.json(entries.map((entry) => ({ ...entry, state: stateOf(entry) })));
  if (entries.length === 0) return output.note('nothing waits to be delivered');
  const headings = ['ID', 'STATE', 'TO', 'HOST', 'ISSUE', 'TRIED', 'WHEN', 'FAILURE'];
  output.table(
    headings,
    entries.map((entry) => row(entry, clock.now())),
  );
}

function row(entry: OutboxEntry, now: Date): string[] {
  const { key, channel, receiver, hostname, name, attempts, failure = '-' } = entry;
  const to = channel === receiver ? channel : `${channel} ${receiver}`;
  return [key.slice(0, SHORT), stateOf(entry), to, hostname, name, String(attempts), whenOf(entry, now), failure];
}

const SHORT = 12;

function stateOf({ delivered_at, given_up_at }: OutboxEntry): 'delivered' | 'given up' | 'waiting' {
  if (delivered_at !== undefined) return 'delivered';
  return given_up_at === undefined ? 'waiting' : 'given up';
}

function whenOf({ delivered_at, given_up_at, next_at }: OutboxEntry, now: Date): string {
  const past = delivered_at ?? given_up_at;
  return past === undefined ? showWait(next_at, now) : showTime(past);
}
