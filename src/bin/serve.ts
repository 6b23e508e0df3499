import { availableParallelism, tmpdir } from 'node:os';
import type { ServerLog } from '../server/log.ts';
import type { Notifier } from '../server/notify.ts';
import { type PrimaryParts, runPrimary } from '../server/processes/run-primary.ts';
import { loadStorePassword } from '../settings/server-secrets.ts';
import { loadServer, type ServerSource } from './load-server.ts';
import { makeSocketFolder } from './socket-folder.ts';
import { systemClock, systemRandom } from './world.ts';

export interface ServeOptions {
  config: string;
  /** $CREDENTIALS_DIRECTORY */
  credentials: string | undefined;
  /** $RUNTIME_DIRECTORY */
  runtimeFolders: string[];
  version: string;
  log: ServerLog;
  notifier: Notifier;
  /** of the environment that the other processes get */
  environment: PrimaryParts<ServerSource>['environment'];
  /** ends it */
  signal: AbortSignal;
  /** calls back at each SIGHUP */
  onReload(reload: () => void): void;
}

/** Serves until the signal aborts. @throws OperatorError where it cannot start */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, credentials, log, notifier, environment, signal } = options;
  const load = () => loadServer(config, credentials, log);
  const first = await load();
  const { settings } = first;
  log.setLevel(settings.log.level);
  log.event('server.starting', { version: options.version, config });
  // Each worker reads it for itself; what is wrong with it is said here, before anything is started.
  await loadStorePassword(settings.store, credentials);
  const parts = {
    load,
    log,
    notifier,
    environment,
    workers: settings.processes ?? availableParallelism(),
    onReload: options.onReload,
    clock: systemClock,
    random: systemRandom,
  };
  if (settings.store.kind !== 'embedded') return runPrimary(parts, first, signal);
  const { socket, remove } = await makeSocketFolder([...options.runtimeFolders, tmpdir()]);
  try {
    await runPrimary({ ...parts, socket }, first, signal);
  } finally {
    await remove();
  }
}
