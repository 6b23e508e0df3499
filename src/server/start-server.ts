import type { RequestListener } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Judge } from '../core/check.ts';
import { hours, type Milliseconds, minutes, seconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import type { AnswerKeys } from '../crypto/answer-keys.ts';
import type { VerificationKeys } from '../crypto/openpgp.ts';
import { type Passwords, passwords } from '../crypto/passwords.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import type { IdentityLog } from '../store/identity-log.ts';
import type { Store } from '../store/port.ts';
import { type App, createApp, type Figures } from './app.ts';
import { createPorts } from './listen.ts';
import type { ServerLog } from './log.ts';
import type { Access } from './login/access.ts';
import type { PortSpec } from './port-settings.ts';
import { alone, type Shared } from './shared.ts';
import { type StoreHealth, type StoreWatch, watchStore } from './store-watch.ts';
import { whatNeedsRestart } from './what-needs-restart.ts';

/** Everything that a SIGHUP replaces, read and found good. */
export interface Loaded {
  settings: ServerSettings;
  ports: PortSpec[];
  judge: Judge;
  v1Keys: VerificationKeys;
  /** sign the answers to agents */
  answerKeys: AnswerKeys;
  /** armored, public: what agents pinned when they enrolled */
  firstOrderKey?: string;
  /** who may use the guarded endpoints */
  access: Access;
}

export interface ServerParts {
  store: Store;
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  random: Random;
  log: ServerLog;
  /** absent: the real work */
  passwords?: Passwords;
  /** with the other workers of this server; absent where there are none */
  shared?: Shared;
  /** Hears that it still waits for the store. */
  waiting?: (reason: string) => void;
  /** Hears that the store has come or gone, once the ports are open. */
  changed?: () => void;
}

export interface ServerState extends Figures {
  store: StoreHealth;
}

export interface RunningServer {
  ports(): { name: string; port: number }[];
  state(): ServerState;
  /** Gives up places that `apply` is to take on other addresses: see Ports. */
  giveWay(next: Loaded): void;
  /** @throws where a port cannot be opened; then all is as it was */
  apply(next: Loaded): Promise<void>;
  /** Settings, certificates and checks are read again by `load`; where that fails the old ones stay. @returns whether it went well */
  reload(load: () => Promise<Loaded>): Promise<boolean>;
  /** Finishes what is under way within 8 s, then closes the store. */
  stop(): Promise<void>;
}

/** Two seconds less than the ten that we promise: what is closed after the connections, the store above all, needs its time too. */
const GRACE: Milliseconds = seconds(8);
const REFRESH_INTERVAL: Milliseconds = minutes(1);
const ORDERS_INTERVAL: Milliseconds = seconds(1);
const EXPIRY_INTERVAL: Milliseconds = hours(1);

/**
 * Opens the ports once the store is there.
 * @param signal aborts the waiting for the store
 * @throws where a port cannot be opened, or the signal aborts before
 */
export async function startServer(parts: ServerParts, first: Loaded, signal: AbortSignal): Promise<RunningServer> {
  const { store, clock, log, shared = alone(parts) } = parts;
  let loaded = first;
  let serving = false;
  const background = new AbortController();
  const watch = watchStore({ store, clock, log, changed: () => serving && parts.changed?.() });
  await waitForStore(watch, parts, signal);

  const app: App = createApp({
    ...parts,
    shared,
    passwords: parts.passwords ?? passwords,
    watch,
    settings: () => loaded.settings,
    judge: () => loaded.judge,
    v1Keys: () => loaded.v1Keys,
    answerKeys: () => loaded.answerKeys,
    firstOrderKey: () => loaded.firstOrderKey,
    access: () => loaded.access,
  });
  const handle: RequestListener = app.koa.callback();
  const ports = createPorts({ handle, log, shared });
  await app.refresh();
  await app.refreshOrders();
  await ports.apply(loaded.ports, loaded.settings.limits);
  serving = true;
  const turning = [
    watch.run(background.signal),
    every(REFRESH_INTERVAL, background.signal, () => app.refresh()),
    every(ORDERS_INTERVAL, background.signal, () => app.refreshOrders()),
    ...(shared.first ? [every(EXPIRY_INTERVAL, background.signal, () => expire(store, clock.now()))] : []),
  ];
  log.event('server.ready', { ports: ports.list().length });

  async function apply(next: Loaded): Promise<void> {
    await ports.apply(next.ports, next.settings.limits);
    log.setLevel(next.settings.log.level);
    loaded = next;
  }

  return {
    ports: () => ports.list(),
    state: () => ({ ...app.figures(), store: watch.health() }),
    giveWay: (next) => ports.giveWay(next.ports),
    apply,
    async reload(load) {
      try {
        const before = loaded.settings;
        await apply(await load());
        for (const setting of whatNeedsRestart(before, loaded.settings))
          log.event('server.restart-needed', { setting });
        log.event('server.reloaded', { ports: ports.list().length });
        return true;
      } catch (error) {
        log.event('server.reload-failed', { reason: messageOf(error) });
        return false;
      }
    },
    async stop() {
      log.event('server.stopping');
      await ports.close(GRACE);
      background.abort();
      await Promise.all(turning);
      await store.close();
      log.event('server.stopped');
    },
  };
}

const STORE_WAIT: Milliseconds = seconds(1);

async function waitForStore(watch: StoreWatch, { log, waiting }: ServerParts, signal: AbortSignal): Promise<void> {
  let told = false;
  for (let health = await watch.look(); health.state !== 'up'; health = await watch.look()) {
    const reason = health.state === 'down' ? health.reason : 'maintenance';
    if (!told) log.event('store.waiting', { reason });
    told = true;
    waiting?.(reason);
    await sleep(STORE_WAIT, undefined, { signal });
  }
}

async function expire(store: Store, at: Date): Promise<void> {
  await store.upkeep.expire(at);
  await store.orders.expireOrders(at);
}

/** What fails here is the store's affair, which the watch tells about. */
async function every(interval: Milliseconds, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal, ref: false }).catch(() => {});
    if (!signal.aborted) await work().catch(() => {});
  }
}
