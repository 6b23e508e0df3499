import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { messageOf, Refusal } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import type { Clock } from '../core/world.ts';
import type { Store } from '../store/port.ts';

export type StoreHealth =
  | { state: 'up'; epoch: string }
  | { state: 'maintenance'; since: Date }
  | { state: 'down'; reason: string };

export interface StoreWatch {
  health(): StoreHealth;
  /** @returns the store's epoch. @throws Refusal (503) while the store is down or under maintenance */
  requireEpoch(): string;
  /** Looks now. */
  look(): Promise<StoreHealth>;
  /** Looks every second until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const INTERVAL: Milliseconds = seconds(1);

/** Knows whether the store can be used, so that a request need not find out by waiting for it. */
export function watchStore({
  store,
  clock,
  log,
  changed = () => {},
}: {
  store: Pick<Store, 'state'>;
  clock: Clock;
  log: Log;
  changed?: (health: StoreHealth) => void;
}): StoreWatch {
  let health: StoreHealth = { state: 'down', reason: 'not asked yet' };
  let asked = false;

  async function look(): Promise<StoreHealth> {
    const before = health;
    health = await ask(store);
    if (health.state !== before.state || !asked) tell(log, before, health, asked);
    if (health.state !== before.state || !asked) changed(health);
    asked = true;
    return health;
  }

  return {
    health: () => health,
    requireEpoch: () => {
      if (health.state === 'up') return health.epoch;
      const detail = health.state === 'down' ? health.reason : `since ${health.since.toISOString()}`;
      throw new Refusal('unavailable', `cannot answer now: the store is ${PLAIN[health.state]}; come again`, {
        detail,
        extra: { time: clock.now().toISOString() },
      });
    },
    look,
    async run(signal) {
      while (!signal.aborted) {
        await sleep(INTERVAL, undefined, { signal, ref: false }).catch(() => {});
        if (!signal.aborted) await look();
      }
    },
  };
}

const PLAIN = { down: 'not reachable', maintenance: 'under maintenance' } as const;

async function ask(store: Pick<Store, 'state'>): Promise<StoreHealth> {
  try {
    const { epoch, maintenance_since } = await store.state();
    return maintenance_since === undefined
      ? { state: 'up', epoch }
      : { state: 'maintenance', since: maintenance_since };
  } catch (error) {
    return { state: 'down', reason: messageOf(error) };
  }
}

function tell(log: Log, before: StoreHealth, now: StoreHealth, asked: boolean): void {
  if (now.state === 'maintenance') log.event('store.maintenance', { since: now.since.toISOString() });
  else if (now.state === 'up' && asked) log.event('store.back', { was: before.state });
  else if (now.state === 'down' && asked) log.event('store.lost', { reason: now.reason });
}
