import { OperatorError } from '../../core/errors.ts';
import { type Collections, dropIndexes, makeIndexes } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import { markOpen } from './mark-open.ts';

/**
 * Version n is what the first n of these make. Forward only. Each may run twice, and in two processes at once: there is no lock,
 * so each must find what is done already. The first one takes an original database as it is, and only adds to it.
 */
export const MIGRATIONS: readonly ((collections: Collections) => Promise<void>)[] = [
  async (collections) => {
    await makeIndexes(collections);
    await markOpen(collections);
  },
  makeIndexes,
  // From here on trails lie with their hosts (trail.ts): earlier programs would not see them, and are refused.
  dropIndexes,
  makeIndexes,
  // of held issues, and of the outbox
  makeIndexes,
  // of orders
  makeIndexes,
];

/** @throws OperatorError where the database's schema is newer than this program */
export async function migrate(collections: Collections, epoch: string, migrations = MIGRATIONS): Promise<void> {
  const found = await version(collections);
  if (found > migrations.length) {
    throw new OperatorError(
      `cannot use the store: its schema has version ${found}, and this penguindome knows versions up to ${migrations.length}; install a newer penguindome`,
    );
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < found) continue;
    await migration(collections);
    await mark(collections, index + 1, epoch);
  }
}

async function version({ meta }: Collections): Promise<number> {
  const store = await meta.findOne({ _id: 'store' });
  const schema: unknown = store?.['schema'];
  return typeof schema === 'number' ? schema : 0;
}

async function mark({ meta }: Collections, schema: number, epoch: string): Promise<void> {
  const update = { $max: { schema }, $setOnInsert: { epoch } };
  try {
    await meta.updateOne({ _id: 'store' }, update, { upsert: true });
  } catch (error) {
    // two upserts at once: the document is there now
    if (!isDuplicateKey(error)) throw error;
    await meta.updateOne({ _id: 'store' }, update);
  }
}
