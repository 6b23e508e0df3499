import type { Order, OrderState, OrderTarget } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import { piecesOf } from '../order-file.ts';
import type { OrderStore, OrderTargetFilter } from '../port.ts';
import type { Engine } from './engine.ts';
import { readOrderFile } from './order-files.ts';
import { findOrder, newestRelease, pageOfOrders, pageOfTargets, pendingOrders, queuedHosts } from './orders.ts';
import { findReceipts } from './receipts.ts';
import { statementsAbove } from './statements.ts';
import type { Write } from './writes.ts';

/** A manifest may hold megabytes. */
const ORDERS_PAGE = 10;
const TARGETS_PAGE = 200;

export function orderStore(reader: Engine, write: Write, clock: Clock): OrderStore {
  return {
    async putFile(file, content) {
      const pieces = piecesOf(file, content);
      if (await write('keepOrderFile', file.sha256, clock.now())) return;
      await write('putOrderFile', { sha256: file.sha256, size: file.size }, pieces, clock.now());
    },
    readFile: async (sha256, offset, length) => readOrderFile(reader, sha256, offset, length),
    insert: (order, targets) =>
      write(
        'insertOrder',
        order,
        targets.map(({ host_id, hostname }) => ({ host_id, hostname })),
      ),
    find: async (id) => findOrder(reader, id),
    list: (filter) => listOrders(reader, filter ?? {}),
    targets: (filter) => listTargets(reader, filter),
    pendingFor: async (host, at) => pendingOrders(reader, host, at),
    queuedHosts: async (at) => queuedHosts(reader, at),
    newestRelease: async () => newestRelease(reader),
    markFetched: (ids, { host_id, hostname }, at) => write('markFetched', ids, { host_id, hostname }, at),
    report: (host_id, report) => write('reportOrder', host_id, report),
    cancel: (id, at) => write('cancelOrder', id, at),
    expireOrders: (at) => write('expireOrders', at),
    addSignature: (id, signature, at) => write('addSignatureToOrder', id, signature, at),
    receipts: async (host_id) => findReceipts(reader, host_id),
    moveReceipts: (host_id, from, to) => write('moveReceipts', host_id, from, to),
    breakReceipts: (host_id, at) => write('breakReceipts', host_id, at),
    putStatement: (statement) => write('putStatement', statement),
    statements: async (kind, above) => statementsAbove(reader, kind, above),
  };
}

async function* listOrders(
  engine: Engine,
  { kinds, limit = Number.POSITIVE_INFINITY }: { kinds?: readonly Order['kind'][]; limit?: number },
): AsyncGenerator<Order & { counts: Partial<Record<OrderState, number>> }> {
  let before = { made_at: Number.MAX_SAFE_INTEGER, id: '' };
  for (let left = limit; left > 0; ) {
    const page = pageOfOrders(engine, kinds, before, Math.min(left, ORDERS_PAGE));
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    left -= page.length;
    before = { made_at: last.made_at.getTime(), id: last.id };
  }
}

async function* listTargets(engine: Engine, filter: OrderTargetFilter): AsyncGenerator<OrderTarget> {
  let after = { hostname: '', order: '', host_id: '' };
  for (;;) {
    const page = pageOfTargets(engine, filter, after, TARGETS_PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
