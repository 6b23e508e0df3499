import { hours } from '../../core/duration.ts';
import type { Clock } from '../../core/world.ts';
import type { OrderStore } from '../port.ts';
import type { Collections } from './collections.ts';
import type { Reach } from './errors.ts';
import { dropOrderFiles, putOrderFile, readOrderFile } from './order-files.ts';
import { listOrders, listTargets, pendingOrders, queuedHosts } from './order-lists.ts';
import {
  addSignature,
  cancelOrder,
  expireTargets,
  findOrder,
  insertOrder,
  markFetched,
  newestRelease,
  reportOrder,
} from './orders.ts';
import { breakReceipts, findReceipts, moveReceipts } from './receipts.ts';
import { putStatement, statementsAbove } from './statements.ts';

/** Whoever puts in an order has long done so, or never will. */
const ABANDONED = hours(1);

export function orderStore(collections: Collections, clock: Clock, reach: Reach): OrderStore {
  return {
    putFile: (file, content) => reach.withoutDeadline(() => putOrderFile(collections, file, content, clock.now())),
    readFile: (sha256, offset, length) => reach(() => readOrderFile(collections, sha256, offset, length)),
    insert: (order, targets) => reach.withoutDeadline(() => insertOrder(collections, order, targets, clock.now())),
    find: (id) => reach(() => findOrder(collections, id)),
    list: (filter) => reach.each(() => listOrders(collections, filter ?? {})),
    targets: (filter) => reach.each(() => listTargets(collections, filter)),
    pendingFor: (host, at) => reach(() => pendingOrders(collections, host, at)),
    queuedHosts: (at) => reach(() => queuedHosts(collections, at)),
    newestRelease: () => reach(() => newestRelease(collections)),
    markFetched: (ids, host, at) => reach(() => markFetched(collections, ids, host, at)),
    report: (host_id, report) => reach(() => reportOrder(collections, host_id, report)),
    cancel: (id, at) => reach(() => cancelOrder(collections, id, at)),
    expireOrders: (at) =>
      reach.withoutDeadline(async () => {
        const expired = await expireTargets(collections, at, new Date(clock.now().getTime() - ABANDONED));
        await dropOrderFiles(collections, at);
        return expired;
      }),
    addSignature: (id, signature, at) => reach(() => addSignature(collections, id, signature, at)),
    receipts: (host_id) => reach(() => findReceipts(collections, host_id)),
    moveReceipts: (host_id, from, to) => reach(() => moveReceipts(collections, host_id, from, to)),
    breakReceipts: (host_id, at) => reach(() => breakReceipts(collections, host_id, at)),
    putStatement: (statement) => reach(() => putStatement(collections, statement)),
    statements: (kind, above) => reach(() => statementsAbove(collections, kind, above)),
  };
}
