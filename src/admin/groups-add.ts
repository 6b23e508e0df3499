import { Command } from 'commander';
import { GUARDED } from '../core/access.ts';
import { OperatorError } from '../core/errors.ts';
import type { YamlEdit } from '../settings/edit-yaml.ts';
import type { AdminContext } from './context.ts';
import { editAccounts, readAccountName, TELL_ACCOUNTS } from './edit-accounts.ts';

/** `penguindome groups add GROUP USER…`: makes the group where there is none. */
export function groupsAdd(context: AdminContext): Command {
  return new Command('add')
    .description('add users to a group; one that there is not is made')
    .argument('<group>')
    .argument('<user...>', 'users of the whole server')
    .addHelpText('after', EXAMPLES)
    .action((group: string, users: string[]) =>
      addMembers(context, readAccountName(group), [...new Set(users.map(readAccountName))]),
    );
}

const EXAMPLES = `
Examples:
  penguindome groups add admins fred mary
  penguindome settings set server_auth.pipe_create.groups '[admins]'`;

async function addMembers(context: AdminContext, group: string, users: string[]): Promise<void> {
  const { output } = context;
  const { server_auth: auth } = await context.settings();
  let added: string[] = [];
  const { file } = await editAccounts(context, (accounts): YamlEdit[] => {
    const unknown = users.filter((user) => !Object.hasOwn(accounts.users, user));
    if (unknown.length > 0) {
      throw new OperatorError(
        `cannot add ${unknown.join(', ')}: the whole server has no user of that name; penguindome passwords set makes one`,
      );
    }
    const members = Object.hasOwn(accounts.groups, group) ? (accounts.groups[group] ?? []) : [];
    added = users.filter((user) => !members.includes(user));
    if (members.length === 0) return [{ path: ['groups', group], value: JSON.stringify(added) }];
    return added.map((user, index) => ({
      path: ['groups', group, members.length + index],
      value: JSON.stringify(user),
    }));
  });
  if (output.wantsJson) {
    output.json({ group, added, accounts: file });
    return;
  }
  output.line(added.length === 0 ? `${group} has them already` : `${group} has ${added.join(', ')} now: ${file}`);
  if (!GUARDED.some((name) => auth[name]?.groups.includes(group))) {
    output.note(
      `${group} may use nothing yet: penguindome settings set server_auth.download_release.groups '[${group}]'`,
    );
  }
  if (added.length > 0) output.note(TELL_ACCOUNTS);
}
