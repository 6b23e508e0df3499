import type { Command } from 'commander';
import type { AdminContext } from './context.ts';
import { filterOf, type Selection, selectingCommand, tellDone } from './select-issues.ts';

export function issuesUnsnooze(context: AdminContext): Command {
  return selectingCommand('unsnooze')
    .description('ends the quiet of snoozed issues')
    .addHelpText('after', EXAMPLES)
    .action((options: Selection) => unsnoozeIssues(context, options));
}

const EXAMPLES = `
Examples:
  penguindome issues unsnooze --host lap-17
  penguindome issues unsnooze --all`;

async function unsnoozeIssues(context: AdminContext, options: Selection): Promise<void> {
  const store = await context.store();
  const filter = await filterOf(store, 'unsnooze', options);
  tellDone(
    context,
    await store.issues.unsnooze(filter, context.clock.now()),
    'no longer snoozed',
    'no such issue is snoozed',
  );
}
