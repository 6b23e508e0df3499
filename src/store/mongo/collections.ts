import type { BSON } from 'mongodb';
import { type Collection, type Db, type IndexDescription, MongoServerError, type ObjectId } from 'mongodb';
import { isDuplicateKey } from './errors.ts';

/** A document whose `_id` is a text of ours. */
export interface Named extends BSON.Document {
  _id: string;
}

/** What our own updates of a patch touch. */
export interface PatchDocument {
  _id: ObjectId;
  pending_hosts: string[];
  completed_hosts: string[];
  cancelled_hosts?: string[];
}

export interface Collections {
  db: Db;
  clients: Collection;
  trail: Collection;
  patches: Collection<PatchDocument>;
  /** `_id` is the key */
  outbox: Collection<Named>;
  /** `_id` is the order's id */
  orders: Collection<Named>;
  order_targets: Collection;
  /** `_id` is the digest */
  order_files: Collection<Named>;
  order_file_pieces: Collection;
  /** `_id` is the host's id */
  receipts: Collection<Named>;
  key_statements: Collection;
  issues: Collection;
  enrollments: Collection;
  parameters: Collection;
  tokens: Collection;
  /** `_id` is the signature's id */
  signatures: Collection<Named>;
  /** one document, `store`: schema, epoch, maintenance_since */
  meta: Collection<Named>;
}

/** Names as in an original database (wire-v1 "Database"), ours beside them. */
export function collectionsOf(db: Db): Collections {
  return {
    db,
    clients: db.collection('clients'),
    trail: db.collection('audit_trail'),
    patches: db.collection<PatchDocument>('patches'),
    outbox: db.collection<Named>('outbox'),
    orders: db.collection<Named>('orders'),
    order_targets: db.collection('order_targets'),
    order_files: db.collection<Named>('order_files'),
    order_file_pieces: db.collection('order_file_pieces'),
    receipts: db.collection<Named>('receipts'),
    key_statements: db.collection('key_statements'),
    issues: db.collection('issues'),
    enrollments: db.collection('enrollments'),
    parameters: db.collection('client_parameters'),
    tokens: db.collection('tokens'),
    signatures: db.collection<Named>('signatures'),
    meta: db.collection<Named>('meta'),
  };
}

/** Where `_id` is a text of ours, and what it is called outside. */
export const NAMED_BY: Readonly<Record<string, string>> = {
  signatures: 'id',
  outbox: 'key',
  orders: 'id',
  order_files: 'sha256',
  receipts: 'host_id',
};

/** A signature is forgotten this long after it has expired, lest the database's clock is ahead of the server's. In seconds. */
const SIGNATURE_SLACK = 3600;

/** Of the case of letters, and of nothing else in a host name, does this collation take no notice. */
export const ANY_CASE = { locale: 'en', strength: 2 };

/** Two hosts of v2 whose names differ in case alone: a database from before that was looked at may hold such, and keeps them. */
const ONE_OF_V2 = 'one_of_v2';
/** An original database may hold two documents for one parameter of a host, and keeps them: the first counts. */
const ONE_OF_EACH = 'one_of_each';

const where = (field: string) => ({ partialFilterExpression: { [field]: { $exists: true } } });

const INDEXES: Record<string, IndexDescription[]> = {
  clients: [
    { key: { hostname: 1 }, unique: true },
    { key: { hostname: 1 }, name: 'hostname_any_case', collation: ANY_CASE },
    { key: { hostname: 1 }, name: ONE_OF_V2, unique: true, collation: ANY_CASE, ...where('identity.host_id') },
    { key: { suspended: 1 } },
    { key: { 'identity.host_id': 1 }, unique: true, ...where('identity.host_id') },
    { key: { 'identity.keys.id': 1 }, unique: true, ...where('identity.keys.id') },
    { key: { 'checks.deadline_at': 1 }, ...where('checks.deadline_at') },
    { key: { settled: 1 }, partialFilterExpression: { settled: false } },
  ],
  audit_trail: [
    { key: { hostname: 1, audited_at: -1 } },
    { key: { hostname: 1, 'pending.mark': 1 }, ...where('pending.mark') },
  ],
  patches: [{ key: { pending_hosts: 1 } }, { key: { 'files.path': 1 } }],
  outbox: [{ key: { delivered_at: 1, given_up_at: 1, next_at: 1 } }, { key: { message: 1 } }, { key: { hostname: 1 } }],
  orders: [
    { key: { release: 1 }, unique: true, ...where('release') },
    { key: { made_at: -1, _id: -1 } },
    { key: { expires_at: 1 } },
  ],
  order_targets: [
    { key: { order: 1, host_id: 1 }, unique: true },
    { key: { host_id: 1 } },
    { key: { hostname: 1, order: 1, host_id: 1 } },
    { key: { expires_at: 1 }, name: 'queued', partialFilterExpression: { state: 'queued' } },
    { key: { order: 1 }, name: 'unready', ...where('unready_since') },
  ],
  order_file_pieces: [{ key: { sha256: 1, position: 1 }, unique: true }],
  key_statements: [{ key: { kind: 1, number: 1 }, unique: true }],
  issues: [
    { key: { held: 1 }, partialFilterExpression: { held: true } },
    { key: { hostname: 1, name: 1 }, name: 'one_open', unique: true, partialFilterExpression: { open: true } },
    { key: { hostname: 1, name: 1, closed_at: 1 } },
    { key: { closed_at: 1, unsnooze_at: 1 } },
    { key: { opened_at: -1 } },
  ],
  client_parameters: [{ key: { hostname: 1, parameter: 1 }, name: ONE_OF_EACH, unique: true, ...where('parameter') }],
  enrollments: [
    { key: { key_id: 1 }, unique: true },
    { key: { hostname: 1 } },
    { key: { former_hostnames: 1 } },
    { key: { hostname: 1 }, name: 'hostname_any_case', collation: ANY_CASE },
    { key: { former_hostnames: 1 }, name: 'former_hostnames_any_case', collation: ANY_CASE },
    { key: { host_id: 1 } },
  ],
  tokens: [
    { key: { hash: 1 }, unique: true },
    { key: { id: 1 }, unique: true },
  ],
  signatures: [{ key: { expires_at: 1 }, expireAfterSeconds: SIGNATURE_SLACK }],
};

/** The same index with other options, or under another name: an original database's own serves as well. */
const THERE_OTHERWISE: ReadonlySet<unknown> = new Set([85, 86]);

/** The store has it no more. */
const GONE: ReadonlySet<unknown> = new Set([26, 27]);

/**
 * An index of ours over a time that each check-in moves cost more than it spared the audit, which looks at all hosts once an hour.
 * Without it mongod writes a quiet check-in in place.
 */
export async function dropIndexes({ clients }: Collections): Promise<void> {
  try {
    await clients.dropIndex('submitted_at_1');
  } catch (error) {
    if (!(error instanceof MongoServerError && GONE.has(error.code))) throw error;
  }
}

export async function makeIndexes({ db }: Collections): Promise<void> {
  for (const [name, indexes] of Object.entries(INDEXES)) {
    for (const index of indexes) {
      try {
        await db.collection(name).createIndexes([index]);
      } catch (error) {
        const isThere = error instanceof MongoServerError && THERE_OTHERWISE.has(error.code);
        const mayFail = index.name === ONE_OF_V2 || index.name === ONE_OF_EACH;
        if (!isThere && !(mayFail && isDuplicateKey(error))) throw error;
      }
    }
  }
}
