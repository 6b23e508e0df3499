import { isDeepStrictEqual } from 'node:util';
import { GUARDED } from '../../core/access.ts';
import { type Accounts, loadAccounts } from '../../settings/accounts.ts';
import type { YamlEdit } from '../../settings/edit-yaml.ts';
import type { AdminContext } from '../context.ts';
import { editAccounts } from '../edit-accounts.ts';
import type { Planned } from './steps.ts';

/** Adds to the accounts file who has a password at the original. Whoever has one here already keeps it. */
export async function planAccounts(context: AdminContext, file: string, wanted: Accounts): Promise<Planned> {
  const entries = entriesOf(wanted, await loadAccounts({ accounts: file }));
  const kept = entries.filter(({ there, value }) => there !== undefined && !isDeepStrictEqual(there, value));
  const run = async () => {
    // asked again under the lock: somebody may have set a password meanwhile
    await editAccounts(context, (now) => editsOf(entriesOf(wanted, now)));
  };
  return {
    steps: entries.length === 0 ? [] : [{ what: 'accounts', path: file, needed: editsOf(entries).length > 0, run }],
    remarks: kept.map(
      ({ path }) => `${path.join(':')} is in ${file} already, and is not the original's: what is there stays`,
    ),
  };
}

interface Entry {
  path: string[];
  value: string | string[];
  /** what the file says there */
  there: string | string[] | undefined;
}

function entriesOf(wanted: Accounts, now: Accounts): Entry[] {
  const entries = <T extends string | string[]>(
    group: Record<string, T>,
    known: Record<string, T>,
    pathOf: (name: string) => string[],
  ): Entry[] =>
    Object.entries(group).map(([name, value]) => ({
      path: pathOf(name),
      value,
      there: Object.hasOwn(known, name) ? known[name] : undefined,
    }));
  return [
    ...entries(wanted.users, now.users, (name) => ['users', name, 'password']),
    ...entries(wanted.groups, now.groups, (name) => ['groups', name]),
    ...GUARDED.flatMap((endpoint) =>
      entries(wanted.endpoints[endpoint], now.endpoints[endpoint], (name) => [
        ...['endpoints', endpoint, 'passwords', name],
      ]),
    ),
  ];
}

function editsOf(entries: readonly Entry[]): YamlEdit[] {
  return entries
    .filter(({ there }) => there === undefined)
    .map(({ path, value }) => ({ path, value: JSON.stringify(value) }));
}
