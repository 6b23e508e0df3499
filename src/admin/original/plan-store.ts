import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Milliseconds } from '../../core/duration.ts';
import { OperatorError } from '../../core/errors.ts';
import type { FileOwner } from '../../settings/atomic-write.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import { openOriginalDatabase } from '../../store/original-database.ts';
import type { AdminContext } from '../context.ts';
import { exists, readIfThere, writeNew } from '../ensure-files.ts';
import { EXIT } from '../exit-codes.ts';
import { type Counts, copyDatabase, refuseHosts } from './copy-database.ts';
import { readCopyMark, writeCopyMark } from './copy-mark.ts';
import type { OriginalStore } from './map-store.ts';
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

interface Deps {
  context: AdminContext;
  settings: ServerSettings;
  owner: FileOwner;
}

/** Where this server's data is to be: in the original's database itself, or in a copy of it. */
export async function planStore(deps: Deps, original: OriginalStore, wish: StoreWish): Promise<PlannedStore> {
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
async function planUse({ settings: { keys }, owner }: Deps, original: OriginalStore): Promise<PlannedStore> {
  const { settings, password } = original;
  const from = placeOf(settings);
  const found = await look(original, async (database) => database.counts());
  const remarks = [`the original's database, ${from}, is used as it is: ${told(found)}`];
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

async function planCopy(deps: Deps, original: OriginalStore, pause: Milliseconds): Promise<PlannedStore> {
  const { context, settings } = deps;
  const { store, state } = settings;
  if (store.kind !== 'embedded') {
    throw new OperatorError(
      "cannot use --copy-database: this server's store is in MongoDB already, and copies go to an embedded one",
      { exitCode: EXIT.usage },
    );
  }
  const from = placeOf(original.settings);
  const own = await context.store();
  const mark = await readCopyMark(state);
  const { epoch } = await own.state();
  const what = 'copy of the database';
  if (mark !== undefined && mark.epoch === epoch) {
    // it was killed when all was copied, and before it could say so
    const run = async () => {
      await own.upkeep.setMaintenance(undefined);
      await writeCopyMark(state, { ...mark, finished: true }, deps.owner);
    };
    return { steps: [{ what, path: store.file, needed: true, run }], remarks: [] };
  }
  await refuseHosts(own);
  const counts = await look(original, async (database) => {
    if (!(await database.isOurs())) return database.counts();
    throw new OperatorError(
      `cannot copy ${from}: a server of this product uses it already; \`penguindome backup\` there and \`restore\` here move everything`,
    );
  });
  const run = async () => {
    const wanted = { epoch: context.random.uuid(), from, finished: false };
    await writeCopyMark(state, wanted, deps.owner);
    await look(original, async (database) => {
      const { clock, signal, output } = context;
      const copied = await copyDatabase({ store: own, original: database, clock, signal, pause }, wanted.epoch);
      output.note(`copied from ${from}: ${told(copied.counts)}`);
      for (const { collection, id, why } of copied.unreadable) output.note(`${collection} ${id}: ${why}`);
    });
    await writeCopyMark(state, { ...wanted, finished: true }, deps.owner);
  };
  const remarks = [`the original's database, ${from}, holds ${told(counts)}`];
  return { steps: [{ what, path: store.file, needed: true, run }], remarks };
}

function alreadyCopied({ settings: { store } }: Deps, from: string): PlannedStore {
  const path = store.kind === 'embedded' ? store.file : placeOf(store);
  return {
    steps: [{ what: 'copy of the database', path, needed: false, run: async () => {} }],
    remarks: [`the original's database, ${from}, was copied before: it is not looked at again`],
  };
}

async function look<T>(
  { settings, password }: OriginalStore,
  work: (database: Awaited<ReturnType<typeof openOriginalDatabase>>) => Promise<T>,
): Promise<T> {
  const database = await openOriginalDatabase(settings, password);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

export function placeOf({ hosts, database }: OriginalStore['settings']): string {
  return `${hosts.join(',')}/${database}`;
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

function told(counts: Counts): string {
  const parts = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'nothing yet' : parts.join(', ');
}
