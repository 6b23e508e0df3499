import { BSON, type ObjectId } from 'mongodb';
import type { Collections } from './collections.ts';
import { insertAll } from './insert-all.ts';
import { share } from './share.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

/** What waits in one host's document, as read. */
export interface WaitingTrail {
  client: ObjectId;
  hostname: string;
  records: BSON.Document[];
}

/** Left where it is while it is shorter: what a report changes is mostly a record or two, and to move several costs little more than one. */
const WORTH_MOVING = { records: 16, bytes: 4096 };
const MOST = { items: 100, bytes: 8 * 1024 * 1024 };

/** A guard: of what changes, or ends, the name of a document with its trail. */
export const NOTHING_WAITS = { 'trail_waiting.0': { $exists: false } };

/** What waits in a host's document; undefined: nothing. */
export function waitingTrailIn(document: BSON.Document): WaitingTrail | undefined {
  const { _id, hostname, trail_waiting } = document;
  if (!Array.isArray(trail_waiting) || trail_waiting.length === 0) return undefined;
  return { client: _id, hostname, records: trail_waiting };
}

export interface TrailMover {
  /** Looks at a host's document as it was read, and moves what waits there where that is much. Not waited for: if it fails, whoever reads the host next moves it. */
  notice(document: BSON.Document): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** Moves, of all hosts that are noticed at once, in two commands. */
export function moveTrails(collections: Collections): TrailMover {
  const move = share((waiting: WaitingTrail[]) => moveAll(collections, waiting), {
    most: MOST,
    sizeOf: ({ records }) => BSON.calculateObjectSize(records),
  });
  const under = new Map<string, Promise<unknown>>();
  return {
    notice(document) {
      const waiting = waitingTrailIn(document);
      if (waiting === undefined || !isWorthMoving(waiting)) return;
      const key = waiting.client.toHexString();
      if (under.has(key)) return;
      const moved = move(waiting)
        .catch(() => undefined)
        .finally(() => under.delete(key));
      under.set(key, moved);
    },
    async idle() {
      await Promise.all(under.values());
    },
  };
}

/** Moves all that waits of one host, now. */
export async function moveTrailOf(collections: Collections, hostname: string): Promise<void> {
  const document = await collections.clients.findOne({ hostname }, { projection: { hostname: 1, trail_waiting: 1 } });
  const waiting = document === null ? undefined : waitingTrailIn(document);
  if (waiting !== undefined) await moveAll(collections, [waiting]);
}

/**
 * First the records go into `audit_trail`, under the ids that they have; when they are with the majority, they leave the host's document.
 * A crash in between leaves them in both places, by the same ids: readers count them once, and to move them again does no harm.
 * Nor do several movers at once, or one that comes late: what it inserts is there already, and what it takes out is gone.
 * (That a name may change meanwhile: see rename.ts.)
 */
async function moveAll(collections: Collections, waiting: WaitingTrail[]): Promise<{ answer: undefined }[]> {
  const records = waiting.flatMap(({ hostname, records }) => records.map((record) => ({ ...record, hostname })));
  for (const some of chunksOf(records)) {
    await insertAll(collections, collections.trail, some, { w: 'majority', wtimeout: OPERATION_TIMEOUT });
  }
  await collections.clients.bulkWrite(
    waiting.map(({ client, records }) => ({ updateOne: { filter: { _id: client }, update: without(records) } })),
    { ordered: false, writeConcern: { w: 1 } },
  );
  return waiting.map(() => ({ answer: undefined }));
}

/** What waits in one document may alone be nearly as large as a command can be. */
function chunksOf(records: BSON.Document[]): BSON.Document[][] {
  const chunks: BSON.Document[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const record of records) {
    const size = BSON.calculateObjectSize(record);
    bytes += size;
    if (bytes > MOST.bytes) {
      chunks.push([]);
      bytes = size;
    }
    chunks.at(-1)?.push(record);
  }
  return chunks;
}

function without(records: BSON.Document[]): BSON.Document {
  return { $pull: { trail_waiting: { _id: { $in: records.map(({ _id }) => _id) } } } };
}

function isWorthMoving({ records }: WaitingTrail): boolean {
  return records.length >= WORTH_MOVING.records || BSON.calculateObjectSize(records) >= WORTH_MOVING.bytes;
}
