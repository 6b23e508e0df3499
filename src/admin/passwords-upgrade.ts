import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { digestOfHash } from '../crypto/passwords.ts';
import { loadAccounts } from '../settings/accounts.ts';
import { syncFolder } from '../settings/atomic-write.ts';
import { PASSWORD_UPGRADES, readPasswordUpgrades } from '../settings/password-upgrades.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { editAccounts, TELL_ACCOUNTS } from './edit-accounts.ts';
import { type PasswordRow, passwordRows } from './passwords-list.ts';

/** `penguindome passwords upgrade`: takes the better hashes that the server has made over into the accounts file, which it may not write. */
export function passwordsUpgrade(context: AdminContext): Command {
  return new Command('upgrade')
    .description("replace the original's hashes by those that the server has made at logins")
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((options: { yes?: boolean }) => upgradePasswords(context, options));
}

const EXAMPLES = `
The server checks the original's hashes, and makes an Argon2id hash of a password whenever somebody logs in by one; it keeps that in
password-upgrades, in its state folder. Only hashes of the original's kind are ever replaced. Whoever has taken the server over could have
written there too: look at the list before you say yes.

Examples:
  penguindome passwords upgrade
  penguindome passwords upgrade --yes`;

const nameOf = ({ user, endpoint }: PasswordRow): string => (endpoint === null ? user : `${user} (${endpoint})`);

async function upgradePasswords(context: AdminContext, options: { yes?: boolean }): Promise<void> {
  const { output } = context;
  const settings = await context.settings();
  const upgrades = await readPasswordUpgrades(settings.state);
  const rows = passwordRows(await loadAccounts(settings), upgrades);
  const ready = rows.filter(({ upgraded }) => upgraded);
  const left = rows.filter(({ hash, upgraded }) => hash === 'pbkdf2-sha256' && !upgraded);
  if (ready.length > 0) {
    if (!output.wantsJson) output.line(`To be replaced: ${ready.map(nameOf).join(', ')}`);
    await confirm(context, 'Replace their hashes in the accounts file?', options);
    await editAccounts(context, (accounts) =>
      passwordRows(accounts, upgrades)
        .filter(({ upgraded }) => upgraded)
        .map(({ user, endpoint, text }) => ({
          path: endpoint === null ? ['users', user, 'password'] : ['endpoints', endpoint, 'passwords', user],
          value: JSON.stringify(upgrades[digestOfHash(text)] ?? text),
        })),
    );
  }
  await forget(settings.state);
  if (output.wantsJson) {
    const shown = ({ user, endpoint }: PasswordRow) => ({ user, endpoint });
    output.json({ upgraded: ready.map(shown), left: left.map(shown), accounts: settings.accounts });
    return;
  }
  output.line(ready.length === 0 ? 'nothing waits to be replaced' : `${ready.length} replaced: ${settings.accounts}`);
  if (left.length > 0) output.line(`of the original's kind, until their next login: ${left.map(nameOf).join(', ')}`);
  if (ready.length > 0) output.note(TELL_ACCOUNTS);
}

/** What a server writes there meanwhile is lost, and made again at that user's next login. */
async function forget(state: string): Promise<void> {
  const file = join(state, PASSWORD_UPGRADES);
  await rm(file, { force: true });
  await syncFolder(state).catch(() => undefined);
}
