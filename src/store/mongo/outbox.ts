import type { Document, Filter } from 'mongodb';
import { CHANNELS, type OutboxEntry } from '../../core/delivery.ts';
import { outboxEntryOf, outboxFields } from '../outbox-record.ts';
import type { Claim, DueMessage, OutboxFilter, Settlement } from '../port.ts';
import { plainDocument } from './bson.ts';
import type { Collections, Named } from './collections.ts';
import { insertAll } from './insert-all.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

/** Of the outbox's documents, `_id` is the key. */
const BY_AGE = { created_at: 1, _id: 1 } as const;
const BATCH = 500;
const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

/** The unique `_id` is the guard. */
export async function addToOutbox(collections: Collections, entries: OutboxEntry[]): Promise<number> {
  let added = 0;
  for (let from = 0; from < entries.length; from += BATCH) {
    const some = entries.slice(from, from + BATCH).map((entry) => {
      const { key, ...rest } = outboxFields(entry);
      return { _id: key, ...rest };
    });
    added += some.length - (await insertAll(collections, collections.outbox, some, ON_DISK)).size;
  }
  return added;
}

export async function* listOutbox({ outbox }: Collections, { delivered }: OutboxFilter): AsyncGenerator<OutboxEntry> {
  const cursor = outbox.find(delivered ? {} : { delivered_at: null }).sort(BY_AGE);
  for await (const document of cursor) yield* readEntry(document);
}

export async function dueInOutbox({ outbox }: Collections, at: Date): Promise<DueMessage[]> {
  const found = await outbox
    .aggregate([
      { $match: due(at) },
      {
        $group: {
          _id: { message: '$message', channel: '$channel', receiver: '$receiver' },
          created_at: { $min: '$created_at' },
        },
      },
      { $sort: { created_at: 1, '_id.message': 1 } },
    ])
    .toArray();
  return found.flatMap(({ _id, created_at }) => {
    const { message, receiver } = _id;
    const channel = CHANNELS.find((each) => each === _id.channel);
    return channel === undefined ? [] : [{ message, channel, receiver, created_at }];
  });
}

/** Each entry is claimed by a statement of its own: two senders may each get a part of a message, and none gets what the other has. */
export async function claimInOutbox(
  { outbox }: Collections,
  messages: string[],
  { by, at, until }: Claim,
): Promise<OutboxEntry[]> {
  const filter = { message: { $in: messages }, ...due(at) };
  await outbox.updateMany(filter, { $set: { claimed_by: by, leased_until: until } });
  const claimed = await outbox
    .find({ message: { $in: messages }, claimed_by: by })
    .sort(BY_AGE)
    .toArray();
  return claimed.flatMap(readEntry);
}

export async function settleInOutbox(
  { outbox }: Collections,
  by: string,
  keys: string[],
  settlement: Settlement,
): Promise<number> {
  const { $set, $inc, $unset } = changeOf(settlement);
  const update = {
    ...($set && { $set }),
    ...($inc && { $inc }),
    $unset: { ...$unset, claimed_by: '' as const, leased_until: '' as const },
  };
  return (await outbox.updateMany({ _id: { $in: keys }, claimed_by: by }, update)).matchedCount;
}

function changeOf(settlement: Settlement): { $set?: Document; $inc?: { attempts: 1 }; $unset?: { failure: '' } } {
  const $inc = { attempts: 1 } as const;
  switch (settlement.outcome) {
    case 'delivered':
      return { $set: { delivered_at: settlement.at }, $inc, $unset: { failure: '' } };
    case 'failed':
      return { $set: { failure: settlement.failure, next_at: settlement.next_at }, $inc };
    case 'given-up':
      return { $set: { failure: settlement.failure, given_up_at: settlement.at }, $inc };
    case 'released':
      return {};
    default:
      return settlement satisfies never;
  }
}

export async function reviveInOutbox(
  { outbox }: Collections,
  messages: string[] | undefined,
  at: Date,
): Promise<number> {
  const filter = { delivered_at: null, ...(messages && { message: { $in: messages } }) };
  const update = { $set: { next_at: at }, $unset: { given_up_at: '' as const } };
  return (await outbox.updateMany(filter, update)).matchedCount;
}

export async function expireOutbox({ outbox }: Collections, before: Date): Promise<void> {
  await outbox.deleteMany({ $or: [{ delivered_at: { $lt: before } }, { given_up_at: { $lt: before } }] });
}

function due(at: Date): Filter<Named> {
  return {
    delivered_at: null,
    given_up_at: null,
    next_at: { $lte: at },
    $or: [{ leased_until: null }, { leased_until: { $lte: at } }],
  };
}

function readEntry({ _id, ...rest }: Named): OutboxEntry[] {
  const entry = outboxEntryOf({ ...plainDocument(rest), key: _id });
  return entry === undefined ? [] : [entry];
}
