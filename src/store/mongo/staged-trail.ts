import { type BSON, ObjectId } from 'mongodb';
import type { Collections } from './collections.ts';

/**
 * The trail of a report that is too long to lie in the host's document (trail.ts). A standalone mongod has no transactions, so:
 *
 * 1. The trail is inserted *pending*: each record bears the mark of this one attempt, and the mark that it is to replace.
 *    Nobody reads a pending record.
 * 2. The host is written, in one guarded statement that also replaces `trail_mark` by this attempt's. This is the commit.
 * 3. `pending` goes from the records of the attempt, and with it go those of attempts that lost against it.
 *
 * A crash after 1 leaves records that nobody sees; the submission that comes again makes an attempt, and records, of its own.
 * A crash after 2 leaves records that are as good as confirmed: they bear the host's `trail_mark`, readers go by that, and the next
 * such report confirms them before it replaces the mark. So the trail of what was stored is there exactly once, and of nothing else,
 * whatever comes again or at once; the other order (host, then trail) would lose the trail in a crash, and ids made from the
 * submission would keep records of a report that was never stored.
 *
 * The commit is majority and journaled, and what comes before it is with the majority first: no commit is kept without its trail.
 * Databases of schema version 2 and before hold all trails that were new then in this way.
 */
export async function storeWithStagedTrail(
  collections: Collections,
  { hostname, records }: { hostname: string; records: readonly BSON.Document[] },
  commit: (marks: { guard: object; set: object }) => Promise<boolean>,
): Promise<boolean> {
  const { trail } = collections;
  const expected = await markOf(collections, hostname);
  const mark = new ObjectId().toHexString();
  const pending = { mark, expected: expected ?? null };
  await Promise.all([
    expected !== undefined && confirm(collections, hostname, expected, BEFORE_THE_COMMIT),
    trail.insertMany(
      records.map((record) => ({ ...record, hostname, pending })),
      BEFORE_THE_COMMIT,
    ),
  ]);
  // Where this rejects, the outcome is not known: the host's mark will tell.
  const stored = await commit({ guard: { trail_mark: expected ?? null }, set: { trail_mark: mark } });
  const lost = stored
    ? { hostname, 'pending.mark': { $exists: true, $ne: mark }, 'pending.expected': expected ?? null }
    : { hostname, 'pending.mark': mark };
  await Promise.all([
    stored && confirm(collections, hostname, mark, AFTER_THE_COMMIT),
    trail.deleteMany(lost, AFTER_THE_COMMIT),
  ]);
  return stored;
}

/**
 * What comes before the commit must be with the majority, so that a fail-over in between cannot lose it. It need not wait for the journal:
 * the commit does, and the journal keeps the order.
 */
const BEFORE_THE_COMMIT = { writeConcern: { w: 'majority' as const } };
/** What a crash takes from here on, the next such report does again. */
const AFTER_THE_COMMIT = { writeConcern: { w: 1 as const } };

/** Confirms what a crash left unconfirmed. */
export async function confirmTrailOf(collections: Collections, hostname: string): Promise<void> {
  const mark = await markOf(collections, hostname);
  if (mark !== undefined) await confirm(collections, hostname, mark, BEFORE_THE_COMMIT);
}

export function markIn(document: object | null): string | undefined {
  const mark: unknown = document === null ? undefined : Reflect.get(document, 'trail_mark');
  return typeof mark === 'string' ? mark : undefined;
}

async function markOf({ clients }: Collections, hostname: string): Promise<string | undefined> {
  return markIn(await clients.findOne({ hostname }, { projection: { trail_mark: 1 } }));
}

async function confirm(
  { trail }: Collections,
  hostname: string,
  mark: string,
  concern: { writeConcern: { w: 'majority' | 1 } },
): Promise<void> {
  await trail.updateMany({ hostname, 'pending.mark': mark }, { $unset: { pending: '' } }, concern);
}
