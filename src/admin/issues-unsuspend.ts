import type { Command } from 'commander';
import type { AdminContext } from './context.ts';
import { suspending } from './issues-suspend.ts';

export function issuesUnsuspend(context: AdminContext): Command {
  return suspending(context, { verb: 'unsuspend', suspended: false })
    .description('ends the quiet of suspended hosts before they report')
    .addHelpText('after', EXAMPLES);
}

const EXAMPLES = `
Examples:
  penguindome issues unsuspend lap-17`;
