import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { editAccounts, readAccountName, TELL_ACCOUNTS, withoutMembers } from './edit-accounts.ts';
import { EXIT } from './exit-codes.ts';

/** `penguindome groups remove GROUP USER…`: users stay users; a group goes with its last member. */
export function groupsRemove(context: AdminContext): Command {
  return new Command('remove')
    .description('take users out of a group; with its last member the group goes')
    .argument('<group>')
    .argument('[user...]')
    .option('--all', 'all members, and so the group')
    .addHelpText('after', EXAMPLES)
    .action((group: string, users: string[], { all = false }: { all?: boolean }) => {
      if (all === users.length > 0) {
        throw new OperatorError('cannot go on: expected users, or --all', { exitCode: EXIT.usage });
      }
      return removeMembers(context, readAccountName(group), all ? undefined : users.map(readAccountName));
    });
}

const EXAMPLES = `
Examples:
  penguindome groups remove admins fred
  penguindome groups remove admins --all`;

async function removeMembers(context: AdminContext, group: string, users: string[] | undefined): Promise<void> {
  const { output } = context;
  let removed: string[] = [];
  let left: string[] = [];
  const { file } = await editAccounts(context, ({ groups }) => {
    const members = Object.hasOwn(groups, group) ? groups[group] : undefined;
    if (members === undefined)
      throw new OperatorError(`cannot find the group ${group}; penguindome groups list shows all`);
    const strangers = (users ?? []).filter((user) => !members.includes(user));
    if (strangers.length > 0) throw new OperatorError(`cannot take ${strangers.join(', ')} out of ${group}: not in it`);
    removed = [...new Set(users ?? members)];
    left = members.filter((member) => !removed.includes(member));
    return withoutMembers(group, members, new Set(removed));
  });
  if (output.wantsJson) {
    output.json({ group, removed, left, accounts: file });
    return;
  }
  output.line(left.length === 0 ? `${group} is gone: ${file}` : `${group} has ${removed.join(', ')} no more: ${file}`);
  output.note(TELL_ACCOUNTS);
}
