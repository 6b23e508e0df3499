import type { Worker } from 'node:cluster';
import { join } from 'node:path';
import { destination } from 'pino';
import { messageOf, OperatorError } from '../core/errors.ts';
import { createLog } from '../server/log.ts';
import { type Channel, openChannel } from '../server/processes/channel.ts';
import type { Begin } from '../server/processes/messages.ts';
import { runWorker } from '../server/processes/run-worker.ts';
import { loadStorePassword } from '../settings/server-secrets.ts';
import { openIdentityLog } from '../store/identity-log.ts';
import { openStore } from '../store/open.ts';
import { reviveServer } from './load-server.ts';
import { openWhenThere } from './open-when-there.ts';
import { systemClock, systemRandom } from './world.ts';

/** @param credentials $CREDENTIALS_DIRECTORY */
export async function workHere(worker: Worker, credentials: string | undefined): Promise<void> {
  const channel = openChannel(worker);
  try {
    await work(channel, await channel.begin(), credentials);
    channel.close();
  } catch (error) {
    if (channel.stopped.aborted) channel.close();
    // The primary ends this process when it has heard why.
    else channel.tell({ kind: 'failed', ...describe(error) });
  }
}

async function work(channel: Channel, begin: Begin, credentials: string | undefined): Promise<void> {
  const { settings } = await reviveServer(begin.source);
  const log = createLog(destination({ fd: 1, sync: true }), settings.log.level);
  const password = await loadStorePassword(settings.store, credentials);
  const world = { clock: systemClock, random: systemRandom };
  const store = await openWhenThere(
    () => openStore(settings.store, password === undefined ? world : { ...world, password }),
    (reason) => channel.tell({ kind: 'waiting', reason }),
    channel.stopped,
  );
  if (store === undefined) return;
  const identities = openIdentityLog(join(settings.state, 'identities.log'));
  try {
    await runWorker({ channel, begin, revive: reviveServer }, { store, identities, ...world, log });
  } catch (error) {
    await store.close();
    throw error;
  }
}

function describe(error: unknown): { message: string; exitCode: number } {
  if (error instanceof OperatorError) return { message: error.message, exitCode: error.exitCode };
  // What nobody foresaw is worth its trace.
  return { message: error instanceof Error ? (error.stack ?? error.message) : messageOf(error), exitCode: 1 };
}
