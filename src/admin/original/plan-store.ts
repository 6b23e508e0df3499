import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Milliseconds } from '../../core/duration.ts';
import { OperatorError } from '../../core/errors.ts';
import { exists, readIfThere, writeNew } from '../ensure-files.ts';
import { refuseHosts } from './copy-database.ts';
import { readCopyMark } from './copy-mark.ts';
import { lookAt, placeOf, tellCounts } from './look-at.ts';
import type { OriginalStore } from './map-store.ts';
import { planCopy, type StoreDeps } from './plan-copy.ts';
import type { Planned } from './steps.ts';

export interface StoreWish {
  /** copy the database into the embedded store, in place of using it as it is */
  copy: boolean;
  /** after the mark of maintenance (copy-database.ts) */
  pause: Milliseconds;
}

export interface PlannedStore extends Planned {
  /** what `store` in the settings is to be; absent: as it is */
  settings?: OriginalStore['settings'];
}

/** Where this server's data is to be: in the original's database itself, or in a copy of it. */
export async function planStore(deps: StoreDeps, original: OriginalStore, wish: StoreWish): Promise<PlannedStore> {
  const { store, state } = deps.settings;
  const from = placeOf(original.settings);
  if ((await readCopyMark(state))?.finished === true) return alreadyCopied(deps, from);
  if (wish.copy) return planCopy(deps, original, wish.pause);
  if (store.kind === 'mongo' && isSamePlace(store, original.settings)) {
    return { steps: [{ what: 'store', path: from, needed: false, run: async () => {} }], remarks: [] };
  }
  if (store.kind === 'mongo') {
    throw new OperatorError(
      `cannot use the original's database (${from}): this server's store is in ${placeOf(store)}; use --no-database to take over everything else`,
    );
  }
  if (await exists(store.file)) await refuseHosts(await deps.context.store());
  return planUse(deps, original);
}

/** The settings will say where it is; the password lies in a file that only the server reads. */
async function planUse({ settings: { keys }, owner }: StoreDeps, original: OriginalStore): Promise<PlannedStore> {
  const { settings, password } = original;
  const from = placeOf(settings);
  const found = await lookAt(original, async (database) => database.counts());
  const remarks = [`the original's database, ${from}, is used as it is: ${tellCounts(found)}`];
  if (settings.user === undefined) return { steps: [], remarks, settings };
  if (password === undefined) {
    return { steps: [], remarks: [...remarks, `there is no password of ${settings.user}: ${CREDENTIAL}`], settings };
  }
  const file = join(keys, 'mongo-password');
  const there = (await readIfThere(file))?.replace(/\r?\n$/, '');
  if (there !== undefined && there !== password) {
    throw new OperatorError(`cannot replace ${file}: it holds another password; move it away first if that is meant`);
  }
  const run = () => writeNew(file, `${password}\n`, 0o600, owner);
  return {
    steps: [{ what: 'password of the database', path: file, needed: there === undefined, run }],
    remarks,
    settings: { ...settings, password_file: file },
  };
}

const CREDENTIAL = 'pass it to the service as the credential mongo-password, or name its file with store.password_file';

function alreadyCopied({ settings: { store } }: StoreDeps, from: string): PlannedStore {
  const path = store.kind === 'embedded' ? store.file : placeOf(store);
  return {
    steps: [{ what: 'copy of the database', path, needed: false, run: async () => {} }],
    remarks: [`the original's database, ${from}, was copied before: it is not looked at again`],
  };
}

function isSamePlace(one: OriginalStore['settings'], other: OriginalStore['settings']): boolean {
  const place = ({ hosts, database, replica_set, user }: OriginalStore['settings']) => [
    [...hosts].sort(),
    database,
    replica_set,
    user,
  ];
  return isDeepStrictEqual(place(one), place(other));
}
