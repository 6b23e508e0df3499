import { Command } from 'commander';
import { GUARDED } from '../core/access.ts';
import { loadAccounts } from '../settings/accounts.ts';
import type { AdminContext } from './context.ts';

export function groupsList(context: AdminContext): Command {
  return new Command('list')
    .description('the groups, their members, and what they may use')
    .addHelpText('after', EXAMPLES)
    .action(() => listGroups(context));
}

const EXAMPLES = `
Examples:
  penguindome groups list
  penguindome groups list --json`;

async function listGroups(context: AdminContext): Promise<void> {
  const { output } = context;
  const settings = await context.settings();
  const { groups } = await loadAccounts(settings);
  const rows = Object.entries(groups).map(([group, members]) => ({
    group,
    members,
    may_use: GUARDED.filter((name) => settings.server_auth[name]?.groups.includes(group)),
  }));
  if (output.wantsJson) output.json(rows);
  else if (rows.length === 0) output.note('no groups yet; `penguindome groups add --help` says how to make one');
  else
    output.table(
      ['GROUP', 'MEMBERS', 'MAY USE'],
      rows.map(({ group, members, may_use }) => [group, members.join(', ') || '-', may_use.join(', ') || '-']),
    );
}
