import type { Command } from 'commander';
import { days, hours } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { readCount } from './read-count.ts';
import { filterOf, type Selection, selectingCommand, tellDone } from './select-issues.ts';
import { showTime } from './show-time.ts';

interface SnoozeOptions extends Selection {
  days?: number;
  hours?: number;
}

export function issuesSnooze(context: AdminContext): Command {
  return selectingCommand('snooze')
    .description('keeps open issues quiet for some time')
    .option('--days <n>', 'for so many days (1 unless said otherwise)', readCount)
    .option('--hours <n>', 'for so many hours', readCount)
    .addHelpText('after', EXAMPLES)
    .action((options: SnoozeOptions) => snoozeIssues(context, options));
}

const EXAMPLES = `
One that is snoozed for longer already stays so. When an issue closes and opens again, that is another one, and not snoozed.

Examples:
  penguindome issues snooze --host lap-17
  penguindome issues snooze --issue-name os-update-available --days 30
  penguindome issues snooze --all --hours 4`;

const LONGEST = days(3650);

async function snoozeIssues(context: AdminContext, options: SnoozeOptions): Promise<void> {
  if (options.days !== undefined && options.hours !== undefined) {
    throw new OperatorError('cannot use --days together with --hours', { exitCode: EXIT.usage });
  }
  const duration = options.hours === undefined ? days(options.days ?? 1) : hours(options.hours);
  if (duration > LONGEST) {
    throw new OperatorError('cannot snooze for longer than 3650 days', { exitCode: EXIT.usage });
  }
  const store = await context.store();
  const filter = await filterOf(store, 'snooze', options);
  const at = context.clock.now();
  const until = new Date(at.getTime() + duration);
  const snoozed = await store.issues.snooze(filter, until, at);
  tellDone(context, snoozed, `snoozed until ${showTime(until)}`, 'no such issue is open, or not snoozed for as long');
}
