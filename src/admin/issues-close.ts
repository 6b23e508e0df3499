import type { Command } from 'commander';
import type { AdminContext } from './context.ts';
import { filterOf, type Selection, selectingCommand, tellDone } from './select-issues.ts';

export function issuesClose(context: AdminContext): Command {
  return selectingCommand('close')
    .description('closes open issues, until newer data show them again')
    .addHelpText('after', EXAMPLES)
    .action((options: Selection) => closeIssues(context, options));
}

const EXAMPLES = `
What a host reported before stays as it is. Its next report opens the issue again where it still shows it, and a check-in (nothing has
changed) does so with the next audit. not-reporting stays closed until the host has reported, and fallen silent again.
expiring-certificate and pending-patches are looked at anew at each audit: what helps there is \`penguindome issues snooze\`.

Examples:
  penguindome issues close --host lap-17 --issue-name firewall-disabled
  penguindome issues close --issue-name deprecated-port
  penguindome issues close --all`;

async function closeIssues(context: AdminContext, options: Selection): Promise<void> {
  const store = await context.store();
  const filter = await filterOf(store, 'close', options);
  const closed = await store.issues.closeByHand(filter, context.clock.now());
  tellDone(context, closed, 'closed', 'no such issue is open');
}
