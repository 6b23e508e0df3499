import { Command } from 'commander';
import { GUARDED, type GuardedEndpoint } from '../core/access.ts';
import { type PasswordHash, readPasswordHash } from '../crypto/password-hash.ts';
import { digestOfHash } from '../crypto/passwords.ts';
import { type Accounts, loadAccounts } from '../settings/accounts.ts';
import { type PasswordUpgrades, readPasswordUpgrades } from '../settings/password-upgrades.ts';
import type { AdminContext } from './context.ts';

/** `penguindome passwords list`: who has a password, and of which kind its hash is. Hashes are not shown. */
export function passwordsList(context: AdminContext): Command {
  return new Command('list')
    .description('who has a password, where it counts, and how its hash was made')
    .addHelpText('after', EXAMPLES)
    .action(() => listPasswords(context));
}

const EXAMPLES = `
Examples:
  penguindome passwords list
  penguindome passwords list --json | jq -r '.[] | select(.hash == "pbkdf2-sha256") | .user'`;

export interface PasswordRow {
  user: string;
  /** where it counts; null: the whole server */
  endpoint: GuardedEndpoint | null;
  hash: PasswordHash['kind'] | null;
  /** whether the server has made a better hash, which \`passwords upgrade\` would take over */
  upgraded: boolean;
  groups: string[];
  /** the hash itself: never shown */
  text: string;
}

async function listPasswords(context: AdminContext): Promise<void> {
  const { output } = context;
  const settings = await context.settings();
  const accounts = await loadAccounts(settings);
  const rows = passwordRows(accounts, await readPasswordUpgrades(settings.state));
  if (output.wantsJson) output.json(rows.map(({ text: _, ...row }) => row));
  else if (rows.length === 0) output.note('nobody has a password; `penguindome passwords set --help` says how');
  else
    output.table(
      ['USER', 'COUNTS FOR', 'HASH', 'GROUPS'],
      rows.map(({ user, endpoint, hash, upgraded, groups }) => [
        user,
        endpoint ?? 'the whole server',
        upgraded ? `${hash} (argon2id waits: penguindome passwords upgrade)` : (hash ?? 'none'),
        groups.join(', ') || '-',
      ]),
    );
}

export function passwordRows({ users, groups, endpoints }: Accounts, upgrades: PasswordUpgrades): PasswordRow[] {
  const row = (endpoint: GuardedEndpoint | null, user: string, text: string): PasswordRow => {
    const hash = readPasswordHash(text)?.kind ?? null;
    return {
      user,
      endpoint,
      hash,
      upgraded: hash === 'pbkdf2-sha256' && Object.hasOwn(upgrades, digestOfHash(text)),
      groups: endpoint !== null ? [] : Object.keys(groups).filter((group) => groups[group]?.includes(user)),
      text,
    };
  };
  return [
    ...Object.entries(users).map(([user, text]) => row(null, user, text)),
    ...GUARDED.flatMap((name) => Object.entries(endpoints[name]).map(([user, text]) => row(name, user, text))),
  ];
}
