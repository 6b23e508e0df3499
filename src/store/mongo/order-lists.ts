import type { HostId } from '../../core/host.ts';
import { ORDER_STATES, type Order, type OrderState, type OrderTarget, UNSETTLED } from '../../core/order.ts';
import { orderTargetOf } from '../order-records.ts';
import type { OrderTargetFilter, PendingOrder } from '../port.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { newestRelease, readOrder } from './orders.ts';

type Counts = Partial<Record<OrderState, number>>;

export async function* listOrders(
  collections: Collections,
  { kinds, limit }: { kinds?: readonly Order['kind'][]; limit?: number },
): AsyncGenerator<Order & { counts: Counts }> {
  if (limit === 0) return;
  const filter = kinds === undefined ? {} : { kind: { $in: [...kinds] } };
  const cursor = collections.orders.find(filter).sort({ made_at: -1, _id: -1 });
  for await (const document of limit === undefined ? cursor : cursor.limit(limit)) {
    const order = readOrder(document);
    if (order !== undefined) yield { ...order, counts: await countsOf(collections, order.id) };
  }
}

async function countsOf({ order_targets }: Collections, order: string): Promise<Counts> {
  const counts: Counts = {};
  const groups = [{ $match: { order } }, { $group: { _id: '$state', number: { $sum: 1 } } }];
  for (const { _id, number } of await order_targets.aggregate(groups).toArray()) {
    const state = ORDER_STATES.find((each) => each === _id);
    if (state !== undefined) counts[state] = number;
  }
  return counts;
}

export async function* listTargets(
  collections: Collections,
  { order, host_id, states }: OrderTargetFilter,
): AsyncGenerator<OrderTarget> {
  const filter = {
    ...(order !== undefined && { order }),
    ...(host_id !== undefined && { host_id }),
    ...(states !== undefined && { state: { $in: [...states] } }),
  };
  const unready = await unreadyOrders(collections, filter);
  const cursor = collections.order_targets.find(filter).sort({ hostname: 1, order: 1, host_id: 1 });
  for await (const document of cursor) {
    const target = orderTargetOf(plainDocument(document));
    if (target !== undefined && !unready.has(target.order)) yield target;
  }
}

export async function pendingOrders(
  collections: Collections,
  { host_id, release }: { host_id: HostId; release: number },
  at: Date,
): Promise<PendingOrder[]> {
  const { orders, order_targets } = collections;
  const newest = await newestRelease(collections);
  const targets = await order_targets
    .find({ host_id, $or: [{ state: { $in: [...UNSETTLED] }, expires_at: { $gt: at } }, { release: newest }] })
    .toArray();
  const states = new Map(targets.map((target) => [String(target['order']), String(target['state'])]));
  const counts = { cancelled_at: null, expires_at: { $gt: at } };
  const wanted = [
    { _id: { $in: [...states.keys()] }, kind: { $ne: 'release' } },
    ...(newest > release ? [{ release: newest }] : []),
  ];
  const found = await orders
    .find({ ...counts, $or: wanted })
    .sort({ made_at: 1, _id: 1 })
    .toArray();
  return found.flatMap((document) => {
    const order = readOrder(document);
    const state = states.get(document._id) ?? 'queued';
    return order === undefined || !UNSETTLED.some((each) => each === state)
      ? []
      : [{ ...order, queued: state === 'queued' }];
  });
}

export async function queuedHosts(
  collections: Collections,
  at: Date,
): Promise<Pick<OrderTarget, 'host_id' | 'hostname'>[]> {
  const queued = { state: 'queued', expires_at: { $gt: at } };
  const unready = [...(await unreadyOrders(collections, queued))];
  const filter = {
    ...queued,
    ...(unready.length > 0 && { order: { $nin: unready } }),
    $or: [{ release: { $exists: false } }, { release: await newestRelease(collections) }],
  };
  const groups = [{ $match: filter }, { $group: { _id: { host_id: '$host_id', hostname: '$hostname' } } }];
  return (await collections.order_targets.aggregate(groups).toArray()).map(({ _id }) => ({
    host_id: _id.host_id,
    hostname: _id.hostname,
  }));
}

/** Of the targets, those orders that are being put in, or that a crash cut short. */
async function unreadyOrders({ orders, order_targets }: Collections, filter: object): Promise<Set<string>> {
  const marked: string[] = await order_targets.distinct('order', { ...filter, unready_since: { $exists: true } });
  if (marked.length === 0) return new Set();
  const there = new Set(await orders.distinct('_id', { _id: { $in: marked } }));
  return new Set(marked.filter((order) => !there.has(order)));
}
