import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { StoreUnavailable } from '../core/errors.ts';
import type { ServerLog } from '../server/log.ts';
import type { Notifier } from '../server/notify.ts';
import { type RunningServer, startServer } from '../server/start-server.ts';
import { loadStorePassword } from '../settings/server-secrets.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { openIdentityLog } from '../store/identity-log.ts';
import { openStore, type StoreOptions } from '../store/open.ts';
import type { Store } from '../store/port.ts';
import { loadServer } from './load-server.ts';
import { systemClock, systemRandom } from './world.ts';

export interface ServeOptions {
  config: string;
  /** $CREDENTIALS_DIRECTORY */
  credentials: string | undefined;
  version: string;
  log: ServerLog;
  notifier: Notifier;
  /** ends it */
  signal: AbortSignal;
  /** calls back at each SIGHUP */
  onReload(reload: () => void): void;
}

/** Serves until the signal aborts. @throws OperatorError where it cannot start */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, credentials, log, notifier, signal } = options;
  const first = await loadServer(config, credentials, log);
  log.setLevel(first.settings.log.level);
  log.event('server.starting', { version: options.version, config });
  const mongoPassword = await loadStorePassword(first.settings.store, credentials);
  const world = { clock: systemClock, random: systemRandom };
  const store = await openWhenThere(
    first.settings.store,
    mongoPassword === undefined ? world : { ...world, password: mongoPassword },
    options,
  );
  if (store === undefined) return;
  const identities = openIdentityLog(join(first.settings.state, 'identities.log'));
  let server: RunningServer;
  try {
    server = await startServer({ store, identities, ...world, log, notifier }, first, signal);
  } catch (error) {
    await store.close();
    if (signal.aborted) return;
    throw error;
  }
  // One after the other: what the last SIGHUP found is what stays.
  let reloading = Promise.resolve(true);
  options.onReload(() => {
    reloading = reloading.then(() => server.reload(() => loadServer(config, credentials, log)));
  });
  await aborted(signal);
  await reloading;
  await server.stop();
}

const STORE_WAIT: Milliseconds = seconds(1);
/** Above all that one attempt may take. */
const EXTENSION: Milliseconds = seconds(60);

/** @returns undefined where the signal aborted before the store was there */
async function openWhenThere(
  settings: ServerSettings['store'],
  world: StoreOptions,
  { log, notifier, signal }: ServeOptions,
): Promise<Store | undefined> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await openStore(settings, world);
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      if (attempt === 0) {
        log.event('store.waiting', { reason: error.message });
        void notifier.status(`waiting for the store: ${error.message}`);
      }
      void notifier.extend(EXTENSION);
      await sleep(STORE_WAIT, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
