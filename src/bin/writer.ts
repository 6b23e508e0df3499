import type { Worker } from 'node:cluster';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { destination } from 'pino';
import { createLog } from '../server/log.ts';
import { openChannel } from '../server/processes/channel.ts';
import { serveWrites } from '../store/embedded/serve-writes.ts';
import { reviveSettings } from './load-server.ts';
import { openWhenThere } from './open-when-there.ts';
import { runChild } from './run-child.ts';
import { systemClock, systemRandom, VERSION } from './world.ts';

/** Writes the embedded store for the workers, until the primary says stop. */
export function writeHere(worker: Worker): Promise<void> {
  const channel = openChannel(worker);
  return runChild(channel, async ({ source, socket }) => {
    const { store, log } = reviveSettings(source);
    if (store.kind !== 'embedded' || socket === undefined) throw new TypeError('there is nothing to write here');
    // The primary removes the folder; where it was killed, this is who is left to do so.
    worker.process.once(
      'exit',
      () => worker.isConnected() || rmSync(dirname(socket), { recursive: true, force: true }),
    );
    const writer = await openWhenThere(
      () =>
        serveWrites({
          file: store.file,
          socket,
          version: VERSION,
          clock: systemClock,
          random: systemRandom,
          log: createLog(destination({ fd: 1, sync: true }), log.level),
        }),
      (reason) => channel.tell({ kind: 'waiting', reason }),
      channel.stopped,
    );
    if (writer === undefined) return;
    channel.tell({ kind: 'ready', ports: 0 });
    await channel.untilStopped();
    await writer.close();
  });
}
