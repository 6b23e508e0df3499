import { Command, InvalidArgumentError } from 'commander';
import type { TrailRecord } from '../core/trail.ts';
import type { AdminContext } from './context.ts';
import { findHost } from './find-host.ts';
import { readCount } from './read-count.ts';
import { showValue } from './show-answer.ts';
import { showTime } from './show-time.ts';

export function hostsHistory(context: AdminContext): Command {
  return new Command('history')
    .description('what changed in the reports of a host, newest first; also of one that was forgotten')
    .argument('<host>', 'its name')
    .option('--limit <n>', 'how many changes at most', readCount, 50)
    .option('--before <time>', 'only changes before this time, such as 2026-03-02 or 2026-03-02T10:00Z', readTime)
    .addHelpText('after', EXAMPLES)
    .action((hostname: string, options: { limit: number; before?: Date }) => showHistory(context, hostname, options));
}

const EXAMPLES = `
In a path, a dot that belongs to a name is written with a backslash before it.

Examples:
  penguindome hosts history lap-17
  penguindome hosts history lap-17 --limit 500 --json
  penguindome hosts history lap-17 --before 2026-03-02`;

function readTime(text: string): Date {
  const time = new Date(text);
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0];
  // Date takes the 31st of February for the 3rd of March
  if (day === undefined || Number.isNaN(time.getTime()) || !isDay(day)) {
    throw new InvalidArgumentError('Expected a time such as 2026-03-02 or 2026-03-02T10:00Z.');
  }
  return time;
}

function isDay(text: string): boolean {
  const day = new Date(text);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

async function showHistory(
  context: AdminContext,
  wanted: string,
  options: { limit: number; before?: Date },
): Promise<void> {
  const { output } = context;
  const store = await context.store();
  const ofName = await store.trail.history(wanted, options);
  // Nothing under that spelling: a host that spells it otherwise may be meant.
  const hostname = ofName.length > 0 ? wanted : (await findHost(store, wanted)).hostname;
  const records = hostname === wanted ? ofName : await store.trail.history(hostname, options);
  if (output.wantsJson) output.json(records);
  else if (records.length === 0) output.note(`nothing has changed in the reports of ${hostname}`);
  else output.table(['TIME', 'PATH', 'CHANGE'], records.map(rowOf));
}

function rowOf({ audited_at, key, type, old, new: now }: TrailRecord): string[] {
  const change = {
    add: () => `added ${showValue(now)}`,
    delete: () => `deleted ${showValue(old)}`,
    change: () => `${showValue(old)} → ${showValue(now)}`,
  };
  return [showTime(audited_at), key, change[type]()];
}
