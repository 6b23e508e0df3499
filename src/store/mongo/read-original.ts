import { BSON, type Document } from 'mongodb';
import type { OriginalDatabase, Unreadable } from '../original-database.ts';
import type { StoredDocument } from '../port.ts';
import { portableDocument } from './bson.ts';
import { connect, type MongoSettings } from './connect.ts';
import { reachBy } from './errors.ts';
import { collectionNames } from './export.ts';
import { OWN_FIELDS } from './hosts.ts';
import { ALWAYS } from './primary.ts';

const reach = reachBy(ALWAYS);

/** What stands among an original's collections and is none of its own; nobody who writes there is to enrol a host by that. */
const OURS: ReadonlySet<string> = new Set(['meta', 'enrollments', 'tokens', 'signatures', 'outbox']);
const LAST = 'audit_trail';
const FIRST = 'clients';

/** An original's database, read and never written: no index, no mark, no schema of ours. */
export async function openOriginalMongo(
  settings: MongoSettings,
  password: string | undefined,
): Promise<OriginalDatabase> {
  const { client, collections } = await reach(() => connect(settings, password));
  const { db, meta } = collections;
  const names = async () => (await collectionNames(db)).filter((name) => !OURS.has(name)).sort(inOrder);
  return {
    counts: () =>
      reach(async () => {
        const counts: Record<string, number> = {};
        for (const name of await names()) counts[name] = await db.collection(name).countDocuments();
        return counts;
      }),
    isOurs: () => reach(async () => (await meta.findOne({ _id: 'store' })) !== null),
    documents: (tell) =>
      reach.each(async function* () {
        for (const collection of await names()) {
          // raw: one document that is no BSON must not end the whole
          const cursor = db.collection(collection).find({}, { raw: true, sort: { _id: 1 } });
          for await (const bytes of cursor) {
            const document = readDocument(collection, bytes, tell);
            if (document !== undefined) yield { collection, document, id: () => idOf(bytes) };
          }
        }
      }),
    close: () => client.close(),
  };
}

/** As in a backup: hosts first, the trail, the longest, last. */
function inOrder(one: string, other: string): number {
  const rank = (name: string) => (name === FIRST ? 0 : name === LAST ? 2 : 1);
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}

function readDocument(
  collection: string,
  bytes: Document,
  tell: (found: Unreadable) => void,
): StoredDocument['document'] | undefined {
  try {
    const document = portableDocument(BSON.deserialize(asBytes(bytes)));
    if (collection === 'clients') for (const name of OWN_FIELDS) delete document[name];
    else if (collection === 'issues' || collection === 'audit_trail') delete document['_id'];
    return document;
  } catch (cause) {
    tell({ collection, id: idOf(bytes), why: cause instanceof Error ? cause.message : String(cause) });
    return undefined;
  }
}

/** The driver gives a document that it is not to look into as its bytes. */
function asBytes(raw: unknown): Uint8Array {
  if (raw instanceof Uint8Array) return raw;
  throw new TypeError('cannot read a document: the driver gave no bytes');
}

/** Whatever of it can be made out. */
function idOf(raw: unknown): string {
  try {
    const document = BSON.deserialize(asBytes(raw), { validation: { utf8: false } });
    return String(document['_id']);
  } catch {
    return 'one without an id that can be read';
  }
}
