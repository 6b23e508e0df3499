import { type BSON, type Collection, MongoServerError, type WriteConcernSettings } from 'mongodb';
import { StoreUnavailable } from '../../core/errors.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * Inserts documents that may be there already.
 * @param documents few enough for one command: 16 MB
 * @returns which of them, by index, were there; rejects unless all are there now, as far as the concern says
 */
export async function insertAll(
  { db }: Pick<Collections, 'db'>,
  { collectionName }: Pick<Collection<never>, 'collectionName'>,
  documents: readonly BSON.Document[],
  concern: WriteConcernSettings & { wtimeout: number },
): Promise<Set<number>> {
  const reply = await db.command(
    { insert: collectionName, documents, ordered: false, writeConcern: concern },
    { ignoreUndefined: true },
  );
  const there = new Set<number>();
  for (const [index, error] of writeErrors(reply)) {
    if (!isDuplicateKey(error)) throw error;
    there.add(index);
  }
  assertConfirmed(reply);
  if (Number(reply['n']) + there.size !== documents.length) {
    throw new StoreUnavailable(`cannot tell what was inserted into ${collectionName}`);
  }
  return there;
}

/** What a command's reply says of its single statements, by index. */
export function writeErrors(reply: BSON.Document): Map<number, MongoServerError> {
  const errors: unknown = reply['writeErrors'];
  const found = new Map<number, MongoServerError>();
  for (const error of Array.isArray(errors) ? errors : []) found.set(Number(error.index), new MongoServerError(error));
  return found;
}

/** @throws StoreUnavailable where a fail-over may still undo what was written */
export function assertConfirmed(reply: BSON.Document): void {
  const unconfirmed: unknown = reply['writeConcernError'];
  if (unconfirmed !== undefined) {
    throw new StoreUnavailable(`cannot confirm what was written: ${JSON.stringify(unconfirmed)}`);
  }
}
