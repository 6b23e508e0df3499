import type { BSON } from 'mongodb';
import type { TrailRecord } from '../../core/trail.ts';
import { trailRecordOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { waitingTrailIn } from './move-trail.ts';
import { markIn } from './staged-trail.ts';

/**
 * The host's document first: what is moved meanwhile is then in both places, and not in neither.
 * What a record's `_id` says comes once.
 */
export async function trailHistory(
  collections: Collections,
  hostname: string,
  { limit, before }: { limit: number; before?: Date },
): Promise<TrailRecord[]> {
  const { clients, trail } = collections;
  const client = await clients.findOne({ hostname }, { projection: { hostname: 1, trail_mark: 1, trail_waiting: 1 } });
  const mark = markIn(client);
  const moved = await trail
    .find({
      hostname,
      ...(before && { audited_at: { $lt: before } }),
      'pending.mark': { $in: [null, ...(mark === undefined ? [] : [mark])] },
    })
    .sort({ audited_at: -1, _id: -1 })
    .limit(limit)
    .toArray();
  const there = new Set(moved.map(({ _id }) => String(_id)));
  const waiting = ((client && waitingTrailIn(client)?.records) ?? [])
    .filter(({ _id, audited_at }) => !there.has(String(_id)) && (before === undefined || audited_at < before))
    .map((record) => ({ ...record, hostname }));
  // most often nothing waits, or what waits is newer: then this is in order already
  return [...waiting, ...moved]
    .sort(newestFirst)
    .slice(0, limit)
    .flatMap((document) => trailRecordOf(plainDocument(document)) ?? []);
}

/** In the same order of looking as the history. */
export async function trailSince({ clients, trail }: Collections, hostname: string): Promise<Date | undefined> {
  const client = await clients.findOne({ hostname }, { projection: { hostname: 1, trail_mark: 1, trail_waiting: 1 } });
  const mark = markIn(client);
  const [oldest] = await trail
    .find({
      hostname,
      audited_at: { $type: 'date' },
      'pending.mark': { $in: [null, ...(mark === undefined ? [] : [mark])] },
    })
    .sort({ audited_at: 1 })
    .limit(1)
    .toArray();
  const times = [...((client && waitingTrailIn(client)?.records) ?? []), ...(oldest === undefined ? [] : [oldest])]
    .map((record): unknown => record['audited_at'])
    .filter((at) => at instanceof Date);
  return times.sort((a, b) => a.getTime() - b.getTime())[0];
}

/** As the index has them: by time, and by id where that is the same. */
function newestFirst(a: BSON.Document, b: BSON.Document): number {
  const [first, second] = [String(a['_id']), String(b['_id'])];
  return Number(b['audited_at']) - Number(a['audited_at']) || (first < second ? 1 : first > second ? -1 : 0);
}
