import type { ExecutionContext } from 'ava';
import type { Store } from '../../../src/store/port.ts';
import type { Fleet } from './fleet.ts';

/** Compares what the hosts know with what the store holds. */
export interface Oracle {
  /** In the midst of it, hosts still reporting or not: nothing acknowledged is missing, nothing that was never sent is there. */
  glance(t: ExecutionContext, store: Store): Promise<void>;
  /** Once the fleet has drained: everything is stored, once. */
  settle(t: ExecutionContext, store: Store): Promise<void>;
}

const MOST_RECORDS = 1_000_000;
/** Faults alone open none of these. */
const SUSPICIONS = ['cloned-identity', 'duplicate-hostname', 'downgraded-identity'];

export function watchFleet(fleet: Fleet): Oracle {
  const sequences = new Map<string, number>();

  async function glance(t: ExecutionContext, store: Store): Promise<void> {
    for (const { hostname, ledger } of fleet.hosts) {
      // before the store is asked: meanwhile more may be acknowledged
      const { acknowledged, last } = ledger;
      const host = await store.hosts.find(hostname);
      const sequence = host?.identity?.sequence ?? 0;
      t.true(sequence >= (sequences.get(hostname) ?? 0), `${hostname}: the sequence number went back to ${sequence}`);
      sequences.set(hostname, sequence);
      t.true(sequence <= ledger.sequence, `${hostname}: a sequence number of nobody's is stored`);
      const n = Number(host?.plugins?.['n'] ?? 0);
      const sent = ledger.waiting[0]?.n ?? ledger.acknowledged;
      t.true(
        n >= acknowledged && n <= sent,
        `${hostname}: holds ${n} of ${acknowledged} acknowledged and ${sent} sent`,
      );
      if (last !== undefined) t.truthy(host?.identity?.last, `${hostname}: an acknowledgement is forgotten`);
    }
    for (const { hostname, ledger } of fleet.v1Hosts) {
      const { acknowledged } = ledger;
      const n = Number((await store.hosts.find(hostname))?.plugins?.['n'] ?? 0);
      t.true(n >= acknowledged && n <= ledger.sent, `${hostname}: holds ${n} of ${acknowledged} acknowledged`);
    }
  }

  async function settle(t: ExecutionContext, store: Store): Promise<void> {
    await glance(t, store);
    for (const { hostname, ledger } of fleet.hosts) {
      t.deepEqual(ledger.unexpected, [], hostname);
      t.deepEqual(ledger.waiting, [], `${hostname}: still waits`);
      const host = await store.hosts.find(hostname);
      t.is(host?.plugins?.['n'], ledger.acknowledged, hostname);
      const { submission, chain } = host?.identity?.last ?? {};
      t.deepEqual({ submission, chain }, { ...ledger.last }, `${hostname}: what is acknowledged last`);
      await trailIsWhole(t, store, hostname, ledger.acknowledged);
    }
    for (const { hostname, ledger } of fleet.v1Hosts) {
      t.deepEqual(ledger.unexpected, [], hostname);
      t.is((await store.hosts.find(hostname))?.plugins?.['n'], ledger.acknowledged, hostname);
      await trailIsWhole(t, store, hostname, ledger.acknowledged);
    }
    const suspicions = await store.issues.history({ names: SUSPICIONS, limit: 10 });
    t.deepEqual(suspicions, [], 'an issue that a fault alone does not open');
  }

  return { glance, settle };
}

/** Each change of `plugins.n` but the first is one record of the trail: all of 2, 3 … are there, once, each after the one before. */
async function trailIsWhole(t: ExecutionContext, store: Store, hostname: string, last: number): Promise<void> {
  const trail = await store.trail.history(hostname, { limit: MOST_RECORDS });
  const steps = trail
    .filter(({ key }) => key === 'plugins.n')
    .map((record) => ({ from: Number(record.old), to: Number(record.new) }))
    .sort((a, b) => a.to - b.to);
  const wanted = Array.from({ length: Math.max(last - 1, 0) }, (_, index) => ({ from: index + 1, to: index + 2 }));
  t.deepEqual(steps, wanted, `${hostname}: the trail of ${last} changes`);
}
