import type { Worker } from 'node:cluster';
import { join } from 'node:path';
import { destination } from 'pino';
import { createLog } from '../server/log.ts';
import { openChannel } from '../server/processes/channel.ts';
import type { Begin } from '../server/processes/messages.ts';
import { runWorker } from '../server/processes/run-worker.ts';
import { loadStorePassword } from '../settings/server-secrets.ts';
import type { StoreSettings } from '../settings/server-settings.ts';
import { openIdentityLog } from '../store/identity-log.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/port.ts';
import { reviveServer, reviveSettings } from './load-server.ts';
import { openWhenThere } from './open-when-there.ts';
import { runChild } from './run-child.ts';
import { systemClock, systemRandom, VERSION } from './world.ts';

const WORLD = { clock: systemClock, random: systemRandom };

/**
 * Answers requests until the primary says stop.
 * @param credentials $CREDENTIALS_DIRECTORY
 */
export function workHere(worker: Worker, credentials: string | undefined): Promise<void> {
  const channel = openChannel(worker);
  return runChild(channel, async (begin) => {
    const settings = reviveSettings(begin.source);
    const log = createLog(destination({ fd: 1, sync: true }), settings.log.level);
    const store = await openWhenThere(
      () => open(settings.store, begin, credentials),
      (reason) => channel.tell({ kind: 'waiting', reason }),
      channel.stopped,
    );
    if (store === undefined) return;
    const identities = openIdentityLog(join(settings.state, 'identities.log'));
    try {
      await runWorker({ channel, begin, revive: reviveServer }, { store, identities, ...WORLD, log });
    } catch (error) {
      await store.close();
      throw error;
    }
  });
}

async function open(settings: StoreSettings, { socket }: Begin, credentials: string | undefined): Promise<Store> {
  if (settings.kind === 'embedded' && socket !== undefined) {
    const { openShared } = await import('../store/embedded/open-shared.ts');
    return openShared({ ...WORLD, file: settings.file, socket, version: VERSION });
  }
  const password = await loadStorePassword(settings, credentials);
  return openStore(settings, password === undefined ? WORLD : { ...WORLD, password });
}
