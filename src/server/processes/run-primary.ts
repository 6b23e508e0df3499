import cluster from 'node:cluster';
import { isDeepStrictEqual } from 'node:util';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import type { ServerLog } from '../log.ts';
import { createBackOff } from '../login/back-off.ts';
import type { Notifier } from '../notify.ts';
import { createEnrollmentLimiter } from '../shared.ts';
import { createTicketRing, TICKET_LIFE } from '../ticket-keys.ts';
import { whatNeedsRestart } from '../what-needs-restart.ts';
import { type KeptProcess, keepProcess, type Role } from './keep-process.ts';
import type { FromProcess } from './messages.ts';
import { describeServer, followStore } from './tell-state.ts';
import { untilAborted } from './until-aborted.ts';

/** What was loaded, in the form in which it goes to the workers: JSON can hold it. */
export interface Source {
  settings: ServerSettings;
}

export interface PrimaryParts<S extends Source> {
  /** reads and checks all that a SIGHUP reads again */
  load: () => Promise<S>;
  /** how many workers */
  workers: number;
  /** where the writer listens; absent where the store needs none */
  socket?: string;
  /** of the environment that a process of this role gets */
  environment: (role: Role) => Record<string, string>;
  onReload: (reload: () => void) => void;
  clock: Clock;
  random: Random;
  log: ServerLog;
  notifier: Notifier;
}

const STATUS_INTERVAL: Milliseconds = seconds(30);
/** Where there is no watchdog: for the figures, and to know. */
const PING_INTERVAL: Milliseconds = seconds(10);
/** Above all that one attempt to reach the store may take. */
const EXTENSION: Milliseconds = seconds(60);
/** Together under the ten seconds that we promise; a worker gives its connections eight. */
const [WORKERS_GRACE, WRITER_GRACE] = [9000, 700];

/**
 * Starts the other processes, keeps them running, and tells systemd and the log what becomes of them.
 * @param signal ends it
 * @throws OperatorError where the server cannot start
 */
export async function runPrimary<S extends Source>(
  parts: PrimaryParts<S>,
  first: S,
  signal: AbortSignal,
): Promise<void> {
  const { log, notifier, clock, random } = parts;
  let source = first;
  const background = new AbortController();
  const ring = createTicketRing(random);
  const limiter = createEnrollmentLimiter();
  const backOff = createBackOff();
  const waiting = tellWaiting(parts);
  let serving = false;

  const changed = (): void => {
    if (!serving) return;
    follow(workers);
    void notifier.status(describeServer(workers, writer));
  };
  const follow = followStore(log);
  const keep = (role: Role, begin: () => Promise<{ first: boolean }>, hear: typeof hearWorker): KeptProcess =>
    keepProcess({
      role,
      log,
      hear,
      changed,
      fork: () => cluster.fork(parts.environment(role)),
      begin: async () => ({
        ...(await begin()),
        // The writer has no use for the keys in there.
        source: role === 'writer' ? { settings: source.settings } : source,
        tickets: ring.secrets(),
        workers: parts.workers,
        socket: parts.socket,
      }),
    });
  function hearWorker(message: FromProcess, self: KeptProcess): void {
    if (message.kind === 'take') {
      const { id, address, rate } = message;
      self.tell({ kind: 'taken', id, ...limiter.take(address, rate, clock.now()) });
    } else if (message.kind === 'login') {
      self.tell({ kind: 'admitted', id: message.id, ...backOff.admit(message.attempt, clock.now()) });
    } else if (message.kind === 'login-ended') backOff.settle(message.attempt, message.outcome, clock.now());
    else if (message.kind === 'deprecated') {
      for (const worker of workers) if (worker !== self) worker.tell(message);
    } else if (message.kind === 'ready') void catchUp(self);
    else if (message.kind === 'waiting') waiting(message.reason);
    else if (message.kind === 'alive' && serving) follow(workers);
  }

  /** It may have missed a rotation, or a reload, while it began. */
  async function catchUp(worker: KeptProcess): Promise<void> {
    worker.tell({ kind: 'tickets', tickets: ring.secrets() });
    if (worker.has(source)) return;
    const reason = await worker.apply(source);
    if (reason === undefined) return;
    log.event('server.reload-failed', { reason });
    worker.kill();
  }

  const writer =
    parts.socket !== undefined
      ? keep(
          'writer',
          async () => ({ first: false }),
          (message) => message.kind === 'waiting' && waiting(message.reason),
        )
      : undefined;
  const workers = Array.from({ length: parts.workers }, (_, index) =>
    keep(
      'worker',
      async () => {
        await writer?.started;
        return { first: index === 0 };
      },
      hearWorker,
    ),
  );
  const all = [...(writer === undefined ? [] : [writer]), ...workers];

  async function stop(): Promise<void> {
    background.abort();
    await Promise.all(workers.map((worker) => worker.stop(WORKERS_GRACE)));
    await writer?.stop(WRITER_GRACE);
  }

  // The first attempt to reach the store may take longer than systemd gives a start.
  void notifier.extend(EXTENSION);
  try {
    await Promise.race([Promise.all(all.map(({ started }) => started)), untilAborted(signal)]);
  } catch (error) {
    await stop();
    // A stop that comes to the whole process group ends a process that does not listen for it yet.
    if (!signal.aborted) throw error;
  }
  if (!signal.aborted) {
    serving = true;
    every(TICKET_LIFE, background.signal, () => {
      const tickets = ring.rotate();
      for (const worker of workers) worker.tell({ kind: 'tickets', tickets });
    });
    const watchdog = notifier.watchdog ?? PING_INTERVAL * 4;
    every(watchdog / 4, background.signal, () => {
      for (const each of all) each.tell({ kind: 'ping' });
    });
    every(STATUS_INTERVAL, background.signal, changed);
    notifier.startWatchdog(background.signal, () => all.every((each) => !each.isSilent(watchdog / 2)));
    await notifier.ready(describeServer(workers, writer));
    log.event('server.ready', { ports: workers[0]?.ports(), workers: workers.length });
  }

  async function reload(): Promise<void> {
    try {
      const next = await parts.load();
      await applyToAll(workers, next, source);
      const before = source.settings;
      source = next;
      // Who came meanwhile has begun with what was so far.
      await Promise.all(workers.map((worker) => worker.isReady() && catchUp(worker)));
      log.setLevel(next.settings.log.level);
      for (const setting of whatNeedsRestart(before, next.settings)) log.event('server.restart-needed', { setting });
      log.event('server.reloaded', { ports: workers[0]?.ports() });
      changed();
    } catch (error) {
      log.event('server.reload-failed', { reason: messageOf(error) });
    }
  }
  // One after the other: what the last SIGHUP found is what stays.
  let reloading = Promise.resolve();
  parts.onReload(() => {
    reloading = reloading.then(reload);
  });
  await untilAborted(signal);
  log.event('server.stopping');
  void notifier.stopping();
  await stop();
  await reloading;
  log.event('server.stopped');
}

/** All workers, or none: where one cannot, all go back to what they had. */
async function applyToAll(workers: KeptProcess[], next: Source, before: Source): Promise<void> {
  const giveWay = async (source: Source): Promise<void> => {
    if (!hasSamePorts(next, before)) for (const worker of workers) await worker.giveWay(source);
  };
  await giveWay(next);
  for (const worker of workers) {
    const reason = await worker.apply(next);
    if (reason === undefined) continue;
    await giveWay(before);
    const back: (string | undefined)[] = [];
    for (const each of workers) back.push(await each.apply(before));
    throw new Error([reason, ...back.filter((each) => each !== undefined)].join('; '));
  }
}

function hasSamePorts({ settings: a }: Source, { settings: b }: Source): boolean {
  return isDeepStrictEqual([a.ports, a.local_port], [b.ports, b.local_port]);
}

/** Tells once that the store is waited for, and asks systemd for more time again and again. */
function tellWaiting({ log, notifier }: Pick<PrimaryParts<Source>, 'log' | 'notifier'>): (reason: string) => void {
  let told = false;
  return (reason) => {
    if (!told) {
      log.event('store.waiting', { reason });
      void notifier.status(`waiting for the store: ${reason}`);
    }
    told = true;
    void notifier.extend(EXTENSION);
  };
}

function every(interval: Milliseconds, signal: AbortSignal, work: () => void): void {
  const timer = setInterval(work, interval);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
