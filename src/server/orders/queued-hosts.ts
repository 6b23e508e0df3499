import type { Clock } from '../../core/world.ts';
import type { Store } from '../../store/port.ts';

export interface QueuedHosts {
  /** Asks the store, once for all hosts; where it does not answer, what was known stays. */
  refresh(): Promise<void>;
  /** Whether there was something for this host to fetch when the store was last asked. */
  has(hostname: string): boolean;
}

/** Who has orders that they have not fetched: kept here, so that a check-in costs no round trip more. */
export function trackQueuedHosts({ store, clock }: { store: Pick<Store, 'orders'>; clock: Clock }): QueuedHosts {
  let queued: ReadonlySet<string> = new Set();
  return {
    async refresh() {
      queued = new Set((await store.orders.queuedHosts(clock.now())).map(({ hostname }) => hostname));
    },
    has: (hostname) => queued.has(hostname),
  };
}
