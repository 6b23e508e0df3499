import { BSON } from 'mongodb';
import type { StoredDocument } from '../port.ts';
import { storable } from './bson.ts';
import { type Collections, NAMED_BY } from './collections.ts';
import { collectionNames } from './export.ts';
import { markOpen } from './mark-open.ts';

/** Documents, and bytes, that are sent at once. */
const BATCH = 500;
const BATCH_BYTES = 8 * 1024 * 1024;

/** Not one transaction: whoever calls it has marked the store as under maintenance, and leaves it so when this fails. */
export async function importDocuments(
  collections: Collections,
  documents: AsyncIterable<StoredDocument>,
  epoch: string,
): Promise<void> {
  const { db, meta } = collections;
  for (const name of await collectionNames(db)) {
    if (name !== 'meta') await db.collection(name).deleteMany({});
  }
  let batch: BSON.Document[] = [];
  let bytes = 0;
  let into = '';
  const flush = async () => {
    if (batch.length > 0) await db.collection(into).insertMany(batch);
    batch = [];
    bytes = 0;
  };
  for await (const { collection, document } of documents) {
    if (collection !== into || batch.length >= BATCH || bytes >= BATCH_BYTES) await flush();
    into = collection;
    const stored = documentOf(collection, document);
    batch.push(stored);
    bytes += BSON.calculateObjectSize(stored);
  }
  await flush();
  await markOpen(collections);
  await meta.updateOne({ _id: 'store' }, { $set: { epoch } });
}

function documentOf(collection: string, document: StoredDocument['document']): BSON.Document {
  const name = NAMED_BY[collection];
  if (name === undefined || document[name] === undefined) return storable(document);
  const { [name]: id, ...rest } = document;
  return { _id: id, ...storable(rest) };
}
