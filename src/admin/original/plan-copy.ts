import type { Milliseconds } from '../../core/duration.ts';
import { OperatorError } from '../../core/errors.ts';
import type { FileOwner } from '../../settings/atomic-write.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import type { Store } from '../../store/port.ts';
import type { AdminContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { type Counts, copyDatabase, refuseHosts } from './copy-database.ts';
import { readCopyMark, writeCopyMark } from './copy-mark.ts';
import { lookAt, placeOf, tellCounts } from './look-at.ts';
import type { OriginalStore } from './map-store.ts';
import type { Planned } from './steps.ts';

export interface StoreDeps {
  context: AdminContext;
  settings: ServerSettings;
  owner: FileOwner;
}

const WHAT = 'copy of the database';

/** A copy of the original's database in the embedded store, which must be empty of hosts. */
export async function planCopy(deps: StoreDeps, original: OriginalStore, pause: Milliseconds): Promise<Planned> {
  const { context, settings } = deps;
  const { store, state } = settings;
  if (store.kind !== 'embedded') {
    throw new OperatorError(
      "cannot use --copy-database: this server's store is in MongoDB already, and copies go to an embedded one",
      { exitCode: EXIT.usage },
    );
  }
  const own = await context.store();
  const mark = await readCopyMark(state);
  const { epoch, maintenance_since } = await own.state();
  if (mark !== undefined && mark.epoch === epoch) {
    // it was killed when all was copied, and before it could say so
    const run = async () => {
      await own.upkeep.setMaintenance(undefined);
      await writeCopyMark(state, { ...mark, finished: true }, deps.owner);
    };
    return { steps: [{ what: WHAT, path: store.file, needed: true, run }], remarks: [] };
  }
  if (mark === undefined && maintenance_since !== undefined) {
    throw new OperatorError('cannot copy the database: the store is under maintenance; complete the restore first');
  }
  await refuseHosts(own);
  const counts = await countOriginal(original);
  const run = () => copy(deps, { own, original, pause });
  const remarks = [`the original's database, ${placeOf(original.settings)}, holds ${tellCounts(counts)}`];
  return { steps: [{ what: WHAT, path: store.file, needed: true, run }], remarks };
}

function countOriginal(original: OriginalStore): Promise<Counts> {
  return lookAt(original, async (database) => {
    if (!(await database.isOurs())) return database.counts();
    throw new OperatorError(
      `cannot copy ${placeOf(original.settings)}: a server of this product uses it already; \`penguindome backup\` there and \`restore\` here move everything`,
    );
  });
}

/** The mark goes first: by its epoch the next run knows whether this one came to its end. */
async function copy(
  { context, settings: { state }, owner }: StoreDeps,
  { own, original, pause }: { own: Store; original: OriginalStore; pause: Milliseconds },
): Promise<void> {
  const { clock, random, signal, output } = context;
  const mark = { epoch: random.uuid(), from: placeOf(original.settings), finished: false };
  await writeCopyMark(state, mark, owner);
  const copied = await lookAt(original, (database) =>
    copyDatabase({ store: own, original: database, clock, signal, pause }, mark.epoch),
  );
  output.note(`copied from ${mark.from}: ${tellCounts(copied.counts)}`);
  for (const { collection, id, why } of copied.unreadable) output.note(`${collection} ${id}: ${why}`);
  await writeCopyMark(state, { ...mark, finished: true }, owner);
}
