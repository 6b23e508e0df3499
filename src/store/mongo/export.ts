import type { BSON, ClientSession } from 'mongodb';
import { getField, isFields } from '../../core/value.ts';
import { textAt } from '../host-document.ts';
import type { StoredDocument } from '../port.ts';
import { COLLECTIONS } from '../portable.ts';
import { portableDocument } from './bson.ts';
import { type Collections, NAMED_BY } from './collections.ts';
import { OWN_FIELDS } from './hosts.ts';
import { waitingTrailIn } from './move-trail.ts';

/** All documents, in the order of store/portable.ts. @param session a snapshot's; undefined: each document as it is when read */
export async function* exportDocuments(
  collections: Collections,
  session: ClientSession | undefined,
): AsyncGenerator<StoredDocument> {
  const others = await otherCollections(collections);
  for (const collection of COLLECTIONS) {
    if (collection === 'audit_trail') {
      for (const other of others) yield* exportCollection(collections, other, session);
      yield* exportTrail(collections, session);
    } else yield* exportCollection(collections, collection, session);
  }
}

/** What waits in the hosts' documents (trail.ts) first: what is moved meanwhile is then known by its id, and comes once. */
async function* exportTrail(
  collections: Collections,
  session: ClientSession | undefined,
): AsyncGenerator<StoredDocument> {
  const collection = 'audit_trail';
  const options = { ...(session && { session }) };
  const waited = new Set<string>();
  const holders = collections.clients.find(
    { 'trail_waiting.0': { $exists: true } },
    { ...options, projection: { hostname: 1, trail_waiting: 1 } },
  );
  for await (const holder of holders) {
    const waiting = waitingTrailIn(holder);
    for (const { _id, ...record } of waiting?.records ?? []) {
      waited.add(String(_id));
      yield { collection, document: portableDocument({ hostname: waiting?.hostname, ...record }) };
    }
  }
  for await (const found of collections.trail.find({}, options)) {
    if (waited.has(String(found._id))) continue;
    const document = portableDocument(found);
    if (!(await isStored(collections, document, options))) continue;
    delete document['_id'];
    delete document['pending'];
    yield { collection, document };
  }
}

/** Collections that we do not know; `meta` is this store's own life. */
async function otherCollections({ db }: Collections): Promise<string[]> {
  return (await collectionNames(db)).filter((name) => name !== 'meta' && !COLLECTIONS.some((known) => known === name));
}

export async function collectionNames(db: Collections['db']): Promise<string[]> {
  const found = await db.listCollections({ type: 'collection' }, { nameOnly: true }).toArray();
  return found
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('system.'))
    .sort();
}

async function* exportCollection(
  collections: Collections,
  collection: string,
  session: ClientSession | undefined,
): AsyncGenerator<StoredDocument> {
  const options = { ...(session && { session }) };
  const name = NAMED_BY[collection];
  for await (const found of collections.db.collection(collection).find({}, options)) {
    const document = portableDocument(found);
    switch (collection) {
      case 'clients':
        for (const name of OWN_FIELDS) delete document[name];
        break;
      case 'issues':
        delete document['_id'];
        delete document['open'];
        break;
      case 'outbox':
        for (const field of ['claimed_by', 'leased_until']) delete document[field];
        break;
      case 'order_targets':
        if (!(await hasOrder(collections, found, options))) continue;
        delete document['unready_since'];
        delete document['_id'];
        break;
      case 'enrollments':
      case 'key_statements':
      case 'order_file_pieces':
      case 'tokens':
        delete document['_id'];
        break;
    }
    if (name !== undefined) {
      document[name] = document['_id'] ?? null;
      delete document['_id'];
    }
    yield { collection, document };
  }
}

/** Whether what a target names was put in, or is just being put in: see orders.ts. */
async function hasOrder({ orders }: Collections, target: BSON.Document, options: object): Promise<boolean> {
  if (target['unready_since'] === undefined) return true;
  return (await orders.countDocuments({ _id: target['order'] }, { ...options, limit: 1 })) > 0;
}

/** Whether a record belongs to a report that was stored: see staged-trail.ts. */
async function isStored(
  { clients }: Collections,
  record: StoredDocument['document'],
  options: object,
): Promise<boolean> {
  const pending = getField(record, 'pending');
  if (!isFields(pending)) return true;
  const filter = { hostname: textAt(record, 'hostname') ?? null, trail_mark: textAt(pending, 'mark') ?? null };
  return (await clients.countDocuments(filter, { ...options, limit: 1 })) > 0;
}
