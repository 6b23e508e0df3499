import { isAccountName } from '../core/access.ts';
import { OperatorError } from '../core/errors.ts';
import { type Accounts, loadAccounts, parseAccounts } from '../settings/accounts.ts';
import type { FileOwner } from '../settings/atomic-write.ts';
import { editYaml, type YamlEdit } from '../settings/edit-yaml.ts';
import type { AdminContext } from './context.ts';
import { statIfThere } from './ensure-files.ts';
import { EXIT } from './exit-codes.ts';
import { isRoot } from './is-root.ts';

export const TELL_ACCOUNTS = 'Tell the server: systemctl reload penguindome-server';

/**
 * Changes the accounts file in place; makes it where there is none.
 * @param plan the edits, of the accounts as they are while nobody else changes them
 * @returns the file, and whether it changed
 * @throws OperatorError, SettingsError where the file is, or would be, none of accounts
 */
export async function editAccounts(
  context: AdminContext,
  plan: (accounts: Accounts) => YamlEdit[],
): Promise<{ file: string; changed: boolean }> {
  const { accounts: file, state } = await context.settings();
  // Also for its mode: others who may read it are told of before there is more to read.
  await loadAccounts({ accounts: file });
  const owner = await accountsOwner(state);
  const changed = await editYaml(context, file, {
    parse: (text) => parseAccounts(text, file),
    edits: plan,
    initial: { text: START, mode: 0o640, ...(owner === undefined ? {} : { owner }) },
  });
  return { file, changed };
}

const START = `# Who may log in to this server: users and groups of the whole server, and passwords of one endpoint.
# Change it with \`penguindome passwords\` and \`penguindome groups\`. It holds hashes of passwords: keep it from others (0640).
users:
groups:
`;

/** root's, so that a server that was taken over cannot change it; its group, the state folder's, is the server's, which reads it. */
export async function accountsOwner(state: string): Promise<FileOwner | undefined> {
  if (!isRoot()) return undefined;
  const folder = await statIfThere(state);
  return folder === undefined ? undefined : { uid: 0, gid: folder.gid };
}

/** @throws OperatorError for what can be no name of a user or group */
export function readAccountName(text: string): string {
  const name = text.normalize('NFC');
  if (isAccountName(name)) return name;
  throw new OperatorError(
    `cannot use ${JSON.stringify(text)} as a name: expected at most 64 characters, without colons and control characters`,
    { exitCode: EXIT.usage },
  );
}

/** The edits that take these members out of a group; the group goes with its last one. */
export function withoutMembers(group: string, members: readonly string[], leaving: ReadonlySet<string>): YamlEdit[] {
  if (members.every((member) => leaving.has(member))) return [{ path: ['groups', group], value: undefined }];
  // From the end, so that the places of those before stay what they are.
  return members
    .flatMap((member, index) => (leaving.has(member) ? [{ path: ['groups', group, index], value: undefined }] : []))
    .reverse();
}
