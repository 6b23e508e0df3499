import { Command, Option } from 'commander';
import { GUARDED, type GuardedEndpoint } from '../core/access.ts';
import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';
import { editAccounts, readAccountName, TELL_ACCOUNTS, withoutMembers } from './edit-accounts.ts';

/** `penguindome passwords remove USER`: with the password goes what was granted by the name, so that nobody who gets it later has it. */
export function passwordsRemove(context: AdminContext): Command {
  return new Command('remove')
    .description('take a password away; a user of the whole server leaves its groups too')
    .argument('<user>')
    .addOption(new Option('--endpoint <name>', 'the password that counts there only').choices([...GUARDED]))
    .addHelpText('after', EXAMPLES)
    .action((user: string, { endpoint }: { endpoint?: GuardedEndpoint }) =>
      removePassword(context, readAccountName(user), endpoint),
    );
}

const EXAMPLES = `
Examples:
  penguindome passwords remove fred
  penguindome passwords remove downloader --endpoint download_release`;

async function removePassword(
  context: AdminContext,
  user: string,
  endpoint: GuardedEndpoint | undefined,
): Promise<void> {
  const { output } = context;
  const { server_auth: auth } = await context.settings();
  let left: string[] = [];
  const { file } = await editAccounts(context, (accounts) => {
    if (!Object.hasOwn(endpoint === undefined ? accounts.users : accounts.endpoints[endpoint], user)) {
      const where = endpoint === undefined ? '' : ` for ${endpoint}`;
      throw new OperatorError(`cannot find a password of ${user}${where}; penguindome passwords list shows all`);
    }
    if (endpoint !== undefined) return [{ path: ['endpoints', endpoint, 'passwords', user], value: undefined }];
    const groups = Object.entries(accounts.groups).filter(([, members]) => members.includes(user));
    left = groups.map(([group]) => group);
    return [
      { path: ['users', user], value: undefined },
      ...groups.flatMap(([group, members]) => withoutMembers(group, members, new Set([user]))),
    ];
  });
  const named = endpoint === undefined ? GUARDED.filter((name) => auth[name]?.users.includes(user)) : [];
  if (output.wantsJson) {
    output.json({ user, endpoint: endpoint ?? null, left_groups: left, still_named: named, accounts: file });
    return;
  }
  output.line(`${user} has no password${endpoint === undefined ? '' : ` for ${endpoint}`} any more: ${file}`);
  if (left.length > 0) output.line(`${user} has left ${left.join(', ')}`);
  for (const name of named) {
    output.note(`server_auth.${name}.users still names ${user}; take it out, or the next one of that name may use it`);
  }
  output.note(TELL_ACCOUNTS);
}
