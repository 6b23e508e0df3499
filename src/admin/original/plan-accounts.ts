import { dirname, join } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { OperatorError } from '../../core/errors.ts';
import type { Random } from '../../core/world.ts';
import { type FileOwner, writeAtomically } from '../../settings/atomic-write.ts';
import { withLock } from '../../settings/lock-file.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { readIfThere } from '../ensure-files.ts';
import { EXIT } from '../exit-codes.ts';
import type { Accounts } from './map-accounts.ts';
import type { Planned, Remark } from './steps.ts';

const HEADING = '# Who may log in. Hashes only; `penguindome passwords set` asks for a password and writes it here.\n';

/** Beside the settings, unless these name another. */
export function accountsFile(settings: ServerSettings, file: string): string {
  return 'accounts' in settings && typeof settings.accounts === 'string'
    ? settings.accounts
    : join(dirname(file), 'accounts.yml');
}

/** Adds to accounts.yml who has a password at the original. Whoever has one here already keeps it. */
export async function planAccounts(
  deps: { random: Random; signal: AbortSignal },
  file: string,
  { accounts, owner }: { accounts: Accounts; owner: FileOwner },
): Promise<Planned> {
  const before = await readIfThere(file);
  const { text, remarks } = merge(before, accounts, file);
  const run = () =>
    withLock(deps, `${file}.lock`, async () => {
      // read again under the lock: somebody may have set a password meanwhile
      const merged = merge(await readIfThere(file), accounts, file);
      await writeAtomically(file, merged.text, { mode: 0o640, owner });
    });
  const anything = Object.values(accounts).some((group: object) => Object.keys(group).length > 0);
  return { steps: anything ? [{ what: 'accounts', path: file, needed: text !== before, run }] : [], remarks };
}

interface Entry {
  path: string[];
  value: unknown;
}

function merge(before: string | undefined, accounts: Accounts, file: string): { text: string; remarks: Remark[] } {
  const document = parseDocument(before ?? HEADING);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new OperatorError(`cannot use ${file}: it is no YAML with groups of keys; nothing was changed`, {
      exitCode: EXIT.notSetUp,
    });
  }
  const remarks: Remark[] = [];
  let changed = false;
  for (const { path, value } of entriesOf(accounts)) {
    const there: unknown = document.getIn(path);
    if (there === undefined) {
      document.setIn(path, document.createNode(value));
      changed = true;
    } else if (!isSame(there, value)) {
      remarks.push(`${path.join(':')} is in ${file} already, and is not the original's: what is there stays`);
    }
  }
  return { text: changed || before === undefined ? document.toString({ lineWidth: 0 }) : before, remarks };
}

function entriesOf({ users, groups, endpoints }: Accounts): Entry[] {
  return [
    ...Object.entries(users).map(([name, { password }]) => ({ path: ['users', name, 'password'], value: password })),
    ...Object.entries(groups).map(([name, members]) => ({ path: ['groups', name], value: members })),
    ...Object.entries(endpoints).flatMap(([endpoint, { passwords }]) =>
      Object.entries(passwords).map(([name, hash]) => ({
        path: ['endpoints', endpoint, 'passwords', name],
        value: hash,
      })),
    ),
  ];
}

function isSame(there: unknown, value: unknown): boolean {
  const plain = typeof there === 'object' && there !== null && 'toJSON' in there ? there : { toJSON: () => there };
  return JSON.stringify(plain) === JSON.stringify(value);
}
