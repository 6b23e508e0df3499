import type { BSON } from 'mongodb';
import type { HostId } from '../../core/host.ts';
import { UNSETTLED } from '../../core/order.ts';
import type { Collections } from './collections.ts';

const PENDING = { state: { $in: [...UNSETTLED] } };

/** Of a host that is forgotten: nobody is left who could fetch or report. */
export async function endOrders(collections: Collections, host_id: HostId, at: Date): Promise<void> {
  const { order_targets, receipts } = collections;
  await order_targets.updateMany({ host_id, ...PENDING }, { $set: { state: 'cancelled', at } });
  await receipts.deleteOne({ _id: host_id });
}

/**
 * Of a host whose place another machine has taken, which its document says as `hands_over_at`. What was to become of the former machine
 * alone must not befall this one; the rest it is to have, the release that the former one has installed, too. Its chain of receipts is
 * its own. Harmless when repeated; the mark goes last, and until then the machine is given nothing: whoever finds it (spend.ts)
 * finishes what a crash cut short.
 */
export async function handOverOrders(collections: Collections, client: BSON.Document | null): Promise<void> {
  const { clients, orders, order_targets, receipts } = collections;
  const at: unknown = client?.['hands_over_at'];
  const host_id: unknown = client?.['identity']?.host_id;
  if (!(at instanceof Date) || typeof host_id !== 'string') return;
  const pending = await order_targets.distinct('order', { host_id, ...PENDING });
  const ended = await orders.distinct('_id', { _id: { $in: pending }, kind: { $in: ['wipe', 'unlock'] } });
  await order_targets.updateMany({ host_id, order: { $in: ended }, ...PENDING }, { $set: { state: 'cancelled', at } });
  await order_targets.updateMany({ host_id, ...PENDING }, { $set: { state: 'queued', at } });
  await order_targets.deleteMany({ host_id, release: { $exists: true } });
  await order_targets.updateMany({ host_id }, { $unset: { number: '', given: '' } });
  await receipts.deleteOne({ _id: host_id });
  await clients.updateOne({ 'identity.host_id': host_id, hands_over_at: at }, { $unset: { hands_over_at: '' } });
}
