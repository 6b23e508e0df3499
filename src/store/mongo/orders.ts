/**
 * Of the collection `orders`, `_id` is the order's id; `order_targets` holds one document for each host and order, with what of the order
 * its queries need (`expires_at`, `release`). Targets are put in before their order, marked `unready_since`: whoever comes across such
 * a mark looks whether the order is there, so that an order is seen whole or not at all.
 */
import type { Document, Filter } from 'mongodb';
import type { HostId } from '../../core/host.ts';
import { type Order, type OrderReport, type OrderTarget, UNSETTLED } from '../../core/order.ts';
import { MOST_SIGNATURES } from '../../wire/v2/order.ts';
import { orderFields, orderOf, orderReportFields, SETTLED_BY_HOST } from '../order-records.ts';
import { plainDocument } from './bson.ts';
import type { Collections, Named } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import { insertAll } from './insert-all.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

type Named_ = Pick<OrderTarget, 'host_id' | 'hostname'>;
const BATCH = 1000;
const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

/**
 * The unique indexes over ids and numbers of releases are the guard. Two that put in one id at once must name the same targets: the
 * same order, tried again.
 */
export async function insertOrder(
  collections: Collections,
  order: Order,
  targets: readonly Named_[],
  now: Date,
): Promise<boolean> {
  const { orders, order_targets } = collections;
  if ((await orders.countDocuments({ _id: order.id }, { limit: 1 })) > 0) return false;
  for (let from = 0; from < targets.length; from += BATCH) {
    const some = targets.slice(from, from + BATCH).map((target) => ({
      ...targetDocument(order, target, 'queued', order.made_at),
      unready_since: now,
    }));
    await insertAll(collections, order_targets, some, ON_DISK);
  }
  const { id, ...rest } = orderFields(order);
  try {
    await orders.insertOne({ _id: order.id, ...rest });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    if ((await orders.countDocuments({ _id: order.id }, { limit: 1 })) === 0) {
      await order_targets.deleteMany({ order: order.id, unready_since: { $exists: true } });
    }
    return false;
  }
  await order_targets.updateMany({ order: order.id }, { $unset: { unready_since: '' } });
  return true;
}

export async function findOrder({ orders }: Collections, id: string): Promise<Order | undefined> {
  return readOrder(await orders.findOne({ _id: id }));
}

export async function newestRelease({ orders }: Collections): Promise<number> {
  const [newest] = await orders
    .find({ release: { $exists: true }, cancelled_at: null }, { projection: { release: 1 } })
    .sort({ release: -1 })
    .limit(1)
    .toArray();
  const release: unknown = newest?.['release'];
  return typeof release === 'number' ? release : 0;
}

/** What a target whose release did not name it lacks, it is given now. */
export async function markFetched(
  collections: Collections,
  ids: readonly string[],
  { host_id, hostname }: Named_,
  at: Date,
): Promise<string[]> {
  const { orders, order_targets } = collections;
  const these = { order: { $in: [...ids] }, host_id };
  await order_targets.updateMany({ ...these, state: 'queued' }, { $set: { state: 'fetched', given: true, at } });
  const releases = { _id: { $in: [...ids] }, kind: 'release', cancelled_at: null };
  for (const document of await orders.find(releases, { projection: { manifest: 0, files: 0 } }).toArray()) {
    const { _id, release, expires_at } = document;
    const target = targetDocument({ id: _id, release, expires_at }, { host_id, hostname }, 'fetched', at);
    await insertAll(collections, order_targets, [target], ON_DISK);
  }
  return order_targets.distinct('order', { ...these, state: { $in: [...UNSETTLED] } });
}

/** The state's time stays where the state does. */
export async function reportOrder(
  { order_targets }: Collections,
  host_id: HostId,
  report: OrderReport,
): Promise<'kept' | 'before' | 'unknown'> {
  const { order, number, state, at } = report;
  const { matchedCount } = await order_targets.updateOne(
    { order, host_id, state: { $nin: [...SETTLED_BY_HOST] }, $or: [{ number: null }, { number: { $lt: number } }] },
    [
      {
        $set: {
          at: { $cond: [{ $eq: ['$state', state] }, '$at', at] },
          state,
          given: true,
          number,
          report: { $literal: orderReportFields(report) },
        },
      },
    ],
  );
  if (matchedCount > 0) return 'kept';
  return (await order_targets.countDocuments({ order, host_id }, { limit: 1 })) > 0 ? 'before' : 'unknown';
}

/** The order first: from then on nobody is given it. */
export async function cancelOrder(
  { orders, order_targets }: Collections,
  id: string,
  at: Date,
): Promise<number | undefined> {
  const cancel = [{ $set: { cancelled_at: { $ifNull: ['$cancelled_at', at] } } }];
  if ((await orders.updateOne({ _id: id }, cancel)).matchedCount === 0) return undefined;
  return endQueued({ order_targets }, { order: id }, 'cancelled', at);
}

/** Of who is to fetch an order: who has it, and was to get it once more, still does. @returns how many had not fetched it */
async function endQueued(
  { order_targets }: Pick<Collections, 'order_targets'>,
  targets: Filter<Document>,
  state: 'cancelled' | 'expired',
  at: Date,
): Promise<number> {
  const queued = { ...targets, state: 'queued' };
  const { modifiedCount } = await order_targets.updateMany({ ...queued, given: null }, { $set: { state, at } });
  await order_targets.updateMany({ ...queued, given: true }, { $set: { state: 'fetched', at } });
  return modifiedCount;
}

/** The signature first: whoever is given the order again is given it with that. */
export async function addSignature(
  { orders, order_targets }: Collections,
  id: string,
  signature: string,
  at: Date,
): Promise<boolean> {
  const counts = { _id: id, cancelled_at: null, expires_at: { $gt: at } };
  const place = { [`signatures.${MOST_SIGNATURES - 1}`]: { $exists: false } };
  const { matchedCount } = await orders.updateOne({ ...counts, ...place, signatures: { $ne: signature } }, [
    { $set: { signatures: { $concatArrays: ['$signatures', [{ $literal: signature }]] } } },
  ]);
  if (matchedCount === 0 && (await orders.countDocuments({ ...counts, signatures: signature }, { limit: 1 })) === 0) {
    return false;
  }
  // Tried again after a crash, this may say once more what was said: a host that has the order takes no notice.
  const again = { order: id, state: { $in: ['fetched', 'waiting'] } };
  await order_targets.updateMany(again, { $set: { state: 'queued', at } });
  return true;
}

/** Ends what expired before it was fetched, and removes what a crash left of an order that was being put in. */
export async function expireTargets(collections: Collections, at: Date, abandoned: Date): Promise<number> {
  const { orders, order_targets } = collections;
  const left = await order_targets.distinct('order', { unready_since: { $lt: abandoned } });
  for (const order of left) {
    const unready = { order, unready_since: { $lt: abandoned } };
    if ((await orders.countDocuments({ _id: order }, { limit: 1 })) === 0) await order_targets.deleteMany(unready);
    else await order_targets.updateMany(unready, { $unset: { unready_since: '' } });
  }
  return endQueued({ order_targets }, { expires_at: { $lte: at }, unready_since: null }, 'expired', at);
}

function targetDocument(
  { id, release, expires_at }: Pick<Order, 'id' | 'expires_at'> & { release?: number | undefined },
  { host_id, hostname }: Named_,
  state: 'queued' | 'fetched',
  at: Date,
): Document {
  return {
    ...{ order: id, host_id, hostname, state, at, expires_at },
    ...(state === 'fetched' && { given: true }),
    ...(release !== undefined && { release }),
  };
}

export function readOrder(document: Named | null): Order | undefined {
  if (document === null) return undefined;
  const { _id, ...rest } = document;
  return orderOf({ ...plainDocument(rest), id: _id });
}
