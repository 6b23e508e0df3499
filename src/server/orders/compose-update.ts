import type { Host, Identity } from '../../core/host.ts';
import type { Clock } from '../../core/world.ts';
import type { KeyStatement, PendingOrder, Store } from '../../store/port.ts';
import type { UpdateAnswer, UpdateRequest } from '../../wire/v2/order-messages.ts';

/** What an answer holds before the rest is left for the next one: bytes of JSON. What is larger by itself goes alone. */
const ENOUGH = 512 * 1024;

export interface Composed extends Pick<UpdateAnswer, 'orders' | 'more' | 'order_keys' | 'revocations'> {
  /** of the orders in it */
  ids: string[];
}

/** What a host is to have that it does not have, the keys first; its orders are marked as fetched. */
export async function composeUpdate(
  { store, clock }: { store: Pick<Store, 'orders'>; clock: Clock },
  { hostname, identity: { host_id } }: Host & { identity: Identity },
  request: UpdateRequest,
): Promise<Composed> {
  const [pending, keys, lists] = await Promise.all([
    store.orders.pendingFor({ host_id, release: request.release }, clock.now()),
    store.orders.statements('order-key', request.order_key),
    store.orders.statements('revocations', request.revocations),
  ]);
  const room = createRoom();
  const order_keys = takeWhile(keys, ({ document }) => room.take(sizeOf(document)));
  const list = lists.at(-1);
  // Each list holds all before it. It may be signed by a key that is still to come.
  const revocations = list !== undefined && !room.full() && room.take(sizeOf(list.document)) ? list : undefined;
  const held = new Set(request.held);
  const lacking = pending.filter(({ id, queued }) => queued || !held.has(id));
  const fitting = takeWhile(lacking, (order) => room.take(sizeOf(documentOf(order))));
  const given = await markFetched(store, fitting, { host_id, hostname }, clock.now());
  const orders = fitting.filter(({ id }) => given.has(id));
  return {
    ids: orders.map(({ id }) => id),
    ...(orders.length > 0 && { orders: orders.map(documentOf) }),
    ...(order_keys.length > 0 && { order_keys: order_keys.map(contentOf) }),
    ...(revocations !== undefined && { revocations: contentOf(revocations) }),
    ...(room.full() && { more: true as const }),
  };
}

/** Not what was cancelled meanwhile. */
async function markFetched(
  store: Pick<Store, 'orders'>,
  orders: readonly PendingOrder[],
  host: Parameters<Store['orders']['markFetched']>[1],
  at: Date,
): Promise<ReadonlySet<string>> {
  if (orders.length === 0) return new Set();
  return new Set(
    await store.orders.markFetched(
      orders.map(({ id }) => id),
      host,
      at,
    ),
  );
}

interface Room {
  /** @returns false where no more fits; nothing does from then on */
  take(bytes: number): boolean;
  full(): boolean;
}

function createRoom(): Room {
  let taken = 0;
  let full = false;
  return {
    take(bytes) {
      if (full || (taken > 0 && taken + bytes > ENOUGH)) full = true;
      else taken += bytes;
      return !full;
    },
    full: () => full,
  };
}

function takeWhile<T>(items: readonly T[], fits: (item: T) => boolean): T[] {
  const end = items.findIndex((item) => !fits(item));
  return end === -1 ? [...items] : items.slice(0, end);
}

const documentOf = ({ manifest, signatures }: PendingOrder) => ({ manifest, signatures });
const contentOf = ({ document }: KeyStatement): unknown => document;
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
