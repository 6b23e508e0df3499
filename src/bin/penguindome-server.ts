import cluster, { type Worker } from 'node:cluster';
import { destination } from 'pino';
import { messageOf, OperatorError } from '../core/errors.ts';
import { createLog } from '../server/log.ts';
import { createNotifier } from '../server/notify.ts';
import { loadServerSettings } from '../settings/load-server-settings.ts';
import { checkServer } from './check-server.ts';
import { HELP, readServerOptions } from './server-options.ts';
import { VERSION } from './world.ts';

/** Tells a process that was started by this program what it is to be. */
const ROLE = 'PENGUINDOME_ROLE';

const stop = new AbortController();
let reload = (): void => undefined;
// From the first moment on: without a listener a SIGHUP would end the process, also while it waits for its store.
// Ctrl-C and systemd's stop come to all processes of the server: the primary obeys, and tells the others.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (cluster.isWorker) return;
    if (signal === 'SIGHUP') reload();
    else stop.abort();
  });
}

async function main(): Promise<number> {
  if (cluster.worker !== undefined) {
    await beChild(cluster.worker);
    return 0;
  }
  const command = readServerOptions(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      process.stdout.write(HELP);
      return 0;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    case 'check-config':
      return sayWhetherItWouldStart(command.config);
    case 'check-settings':
      return saySettings(command.config);
    case 'serve':
      await serveHere(command.config);
      return 0;
    default:
      return command satisfies never;
  }
}

async function beChild(worker: Worker): Promise<void> {
  if (process.env[ROLE] === 'writer') {
    const { writeHere } = await import('./writer.ts');
    await writeHere(worker);
  } else {
    const { workHere } = await import('./worker.ts');
    await workHere(worker, process.env['CREDENTIALS_DIRECTORY']);
  }
}

async function sayWhetherItWouldStart(config: string): Promise<number> {
  const { problems, remarks } = await checkServer(config, process.env['CREDENTIALS_DIRECTORY']).catch(
    (error: unknown) => {
      if (error instanceof OperatorError) return { problems: [error.message], remarks: [] };
      throw error;
    },
  );
  for (const remark of remarks) process.stdout.write(`note: ${remark}\n`);
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.stdout.write(
    problems.length === 0 ? `${config}: the server would start\n` : `${config}: the server would not start\n`,
  );
  return problems.length === 0 ? 0 : 1;
}

async function saySettings(config: string): Promise<number> {
  try {
    await loadServerSettings(config);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    process.stdout.write(`${error.message}\n`);
    return 1;
  }
  process.stdout.write(`${config}: settings that the server understands\n`);
  return 0;
}

async function serveHere(config: string): Promise<void> {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, CREDENTIALS_DIRECTORY, RUNTIME_DIRECTORY } = process.env;
  const log = createLog(destination({ fd: 1, sync: true }), 'info');
  // Meant for us only where WATCHDOG_PID is ours, or not given (sd_watchdog_enabled(3)).
  const watched = WATCHDOG_PID === undefined || WATCHDOG_PID === String(process.pid);
  const notifier = createNotifier(
    {
      socket: NOTIFY_SOCKET,
      watchdogMicroseconds: watched && WATCHDOG_USEC !== undefined ? Number(WATCHDOG_USEC) : undefined,
    },
    log,
  );
  // Set, for NODE_CLUSTER_SCHED_POLICY may say otherwise.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const { serve } = await import('./serve.ts');
  await serve({
    config,
    credentials: CREDENTIALS_DIRECTORY,
    runtimeFolders: RUNTIME_DIRECTORY?.split(':') ?? [],
    version: VERSION,
    log,
    notifier,
    environment: (role) => ({ [ROLE]: role }),
    signal: stop.signal,
    onReload: (call) => {
      reload = call;
    },
  });
}

main().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`penguindome-server: ${messageOf(error)}\n`);
    // What nobody foresaw is worth its trace.
    if (!(error instanceof OperatorError) && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = error instanceof OperatorError ? error.exitCode : 1;
  },
);
