import { BSON, ObjectId } from 'mongodb';
import type { TrailRecord } from '../../core/trail.ts';
import { escapeFields } from '../escape.ts';
import { trailFields } from '../records.ts';
import type { Collections } from './collections.ts';
import { isTooLarge } from './errors.ts';
import { moveTrailOf } from './move-trail.ts';
import { storeWithStagedTrail } from './staged-trail.ts';

/**
 * A report and its trail lie in two collections, and a standalone mongod has no transactions. So, on every kind of server, the statement
 * that writes the host also appends the report's trail to `trail_waiting` in the host's document: both are stored, or neither is.
 * There the trail waits, and readers look there (trail-history.ts, export.ts) as well as into `audit_trail`.
 * Now and then it is moved there (move-trail.ts).
 *
 * A trail too long for that is staged in `audit_trail` before the host is written (staged-trail.ts).
 *
 * @param commit writes the host, with what it is given, in one guarded statement; whether the guard held
 */
export async function storeWithTrail(
  collections: Collections,
  { hostname, trail }: { hostname: string; trail: readonly TrailRecord[] },
  commit: (parts: Parts) => Promise<boolean>,
): Promise<boolean> {
  if (trail.length === 0) return commit({ guard: {}, set: {}, more: {}, bytes: 0 });
  const records = trail.map(waitingRecord);
  const bytes = BSON.calculateObjectSize(records);
  if (bytes > LONGEST_WAITING) {
    return storeWithStagedTrail(collections, { hostname, records }, ({ guard, set }) =>
      commit({ guard, set, more: {}, bytes: 0 }),
    );
  }
  const parts = { guard: {}, set: {}, more: { $push: { trail_waiting: { $each: records } } }, bytes };
  try {
    return await commit(parts);
  } catch (error) {
    // of a host whose document is nearly as large as one may be: with what waits, it was larger
    if (!isTooLarge(error)) throw error;
    await moveTrailOf(collections, hostname);
    return commit(parts);
  }
}

/** What the statement that writes the host is to hold for its trail. */
export interface Parts {
  guard: object;
  set: object;
  /** other operators of the update */
  more: object;
  /** of those */
  bytes: number;
}

/** A host's own document may have 15 MB (settings, `limits.document`), and MongoDB's end at 16. */
const LONGEST_WAITING = 64 * 1024;

/** A document of MongoDB ends at 16 MB; old and new value of one path may together pass that. */
const LONGEST_RECORD = 15 * 1024 * 1024;

/** Its name is the host's, whatever that is by the time it is moved. Its `_id` is given here, so that it can be moved more than once. */
function waitingRecord(record: TrailRecord): BSON.Document {
  const { hostname: _, ...fields } = trailFields(record);
  const document: BSON.Document = { _id: new ObjectId(), ...escapeFields(fields) };
  if (BSON.calculateObjectSize(document) <= LONGEST_RECORD) return document;
  const { old: __, ...withoutOld } = document;
  return withoutOld;
}
