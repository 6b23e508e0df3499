import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Judge } from '../core/check.ts';
import { hours, type Milliseconds, minutes, seconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import type { AnswerKeys } from '../crypto/answer-keys.ts';
import type { VerificationKeys } from '../crypto/openpgp.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { IdentityLog } from '../store/identity-log.ts';
import type { Store } from '../store/port.ts';
import { type App, createApp } from './app.ts';
import { createPorts, type Ports } from './listen.ts';
import type { ServerLog } from './log.ts';
import type { Notifier } from './notify.ts';
import type { PortSpec } from './port-settings.ts';
import { type StoreWatch, watchStore } from './store-watch.ts';
import { whatNeedsRestart } from './what-needs-restart.ts';

/** Everything that a SIGHUP replaces, read and found good. */
export interface Loaded {
  settings: ServerSettings;
  ports: PortSpec[];
  judge: Judge;
  v1Keys: VerificationKeys;
  /** sign the answers to agents */
  answerKeys: AnswerKeys;
}

export interface ServerParts {
  store: Store;
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  random: Random;
  log: ServerLog;
  notifier: Notifier;
}

export interface RunningServer {
  ports(): { name: string; port: number }[];
  /** Settings, certificates and checks are read again by `load`; where that fails the old ones stay. @returns whether it went well */
  reload(load: () => Promise<Loaded>): Promise<boolean>;
  /** Finishes what is under way within 10 s, then closes the store. */
  stop(): Promise<void>;
}

/** Two seconds less than the ten that we promise: what is closed after the connections, the store above all, needs its time too. */
const GRACE: Milliseconds = seconds(8);
const STATUS_INTERVAL: Milliseconds = seconds(30);
const REFRESH_INTERVAL: Milliseconds = minutes(1);
const EXPIRY_INTERVAL: Milliseconds = hours(1);

/**
 * Opens the ports once the store is there.
 * @param signal aborts the waiting for the store
 * @throws where a port cannot be opened, or the signal aborts before
 */
export async function startServer(parts: ServerParts, first: Loaded, signal: AbortSignal): Promise<RunningServer> {
  const { store, clock, log, notifier } = parts;
  let loaded = first;
  const background = new AbortController();
  const tellStatus = () => void notifier.status(statusOf(app, ports, watch));
  const watch = watchStore({ store, clock, log, changed: () => serving && tellStatus() });
  let serving = false;
  await waitForStore(watch, parts, signal);

  const app: App = createApp({
    ...parts,
    watch,
    settings: () => loaded.settings,
    judge: () => loaded.judge,
    v1Keys: () => loaded.v1Keys,
    answerKeys: () => loaded.answerKeys,
  });
  const handle: RequestListener = app.koa.callback();
  const ports = createPorts({ handle, log });
  await app.refresh();
  await ports.apply(loaded.ports, loaded.settings.limits);
  serving = true;
  const turning = [
    watch.run(background.signal),
    every(STATUS_INTERVAL, background.signal, async () => tellStatus()),
    every(REFRESH_INTERVAL, background.signal, () => app.refresh()),
    every(EXPIRY_INTERVAL, background.signal, () => store.upkeep.expire(clock.now())),
  ];
  notifier.startWatchdog(background.signal);
  await notifier.ready(statusOf(app, ports, watch));
  log.event('server.ready', { ports: ports.list().length });

  return {
    ports: () => ports.list(),
    async reload(load) {
      try {
        const next = await load();
        await ports.apply(next.ports, next.settings.limits);
        log.setLevel(next.settings.log.level);
        for (const setting of whatNeedsRestart(loaded.settings, next.settings)) {
          log.event('server.restart-needed', { setting });
        }
        loaded = next;
        log.event('server.reloaded', { ports: ports.list().length });
        return true;
      } catch (error) {
        log.event('server.reload-failed', { reason: messageOf(error) });
        return false;
      }
    },
    async stop() {
      log.event('server.stopping');
      void notifier.stopping();
      await ports.close(GRACE);
      background.abort();
      await Promise.all(turning);
      await store.close();
      log.event('server.stopped');
    },
  };
}

const STORE_WAIT: Milliseconds = seconds(1);
/** More than it takes to ask again, by far. */
const EXTENSION: Milliseconds = seconds(30);

async function waitForStore(watch: StoreWatch, { log, notifier }: ServerParts, signal: AbortSignal): Promise<void> {
  let waiting = false;
  for (let health = await watch.look(); health.state !== 'up'; health = await watch.look()) {
    const reason = health.state === 'down' ? health.reason : 'maintenance';
    if (!waiting) {
      log.event('store.waiting', { reason });
      void notifier.status(`waiting for the store: ${reason}`);
    }
    waiting = true;
    void notifier.extend(EXTENSION);
    await sleep(STORE_WAIT, undefined, { signal });
  }
}

/** What fails here is the store's affair, which the watch tells about. */
async function every(interval: Milliseconds, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await work().catch(() => {});
  }
}

function statusOf(app: App, ports: Ports, watch: StoreWatch): string {
  const { requests, refused } = app.figures();
  const { state } = watch.health();
  const store = {
    up: 'store reachable',
    down: 'STORE NOT REACHABLE, requests get 503',
    maintenance: 'store under maintenance',
  };
  return `${ports.list().length} ports, ${store[state]}, ${requests} requests since the start, ${refused} refused`;
}
