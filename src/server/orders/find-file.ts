import type { HostId } from '../../core/host.ts';
import { isSettled, type Order } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import type { Store } from '../../store/port.ts';

/** Of orders that are being fetched now; each has the digests of its files, at most 2,000. */
const KEPT = 50;

/** What of an order never changes. */
type Known = Pick<Order, 'expires_at'> & { sizes: ReadonlyMap<string, number> };

export interface OrderFiles {
  /** @returns the size of a file of an order that this host was given and has not settled; undefined for any other */
  find(host_id: HostId, order: string, sha256: string): Promise<number | undefined>;
}

/** A file comes in many pieces, and a manifest may be large: what an order holds is kept for a while. */
export function createOrderFiles({ store, clock }: { store: Pick<Store, 'orders'>; clock: Clock }): OrderFiles {
  const kept = new Map<string, Known>();

  async function know(id: string): Promise<Known | undefined> {
    const known = kept.get(id);
    if (known !== undefined) return known;
    const order = await store.orders.find(id);
    if (order === undefined) return undefined;
    const made = {
      expires_at: order.expires_at,
      sizes: new Map(order.files.map(({ sha256, size }) => [sha256, size])),
    };
    kept.set(id, made);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    return made;
  }

  return {
    async find(host_id, order, sha256) {
      if (!(await isGiven(store, host_id, order))) return undefined;
      const known = await know(order);
      return known === undefined || known.expires_at <= clock.now() ? undefined : known.sizes.get(sha256);
    },
  };
}

async function isGiven({ orders }: Pick<Store, 'orders'>, host_id: HostId, order: string): Promise<boolean> {
  for await (const { state } of orders.targets({ order, host_id })) return !isSettled(state);
  return false;
}
