import type { Worker } from 'node:cluster';
import { type Milliseconds, minutes, seconds } from '../../core/duration.ts';
import { messageOf, OperatorError } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import { type Begin, type FromProcess, fromProcess, type ToProcess, type WorkerState } from './messages.ts';

export type Role = 'worker' | 'writer';

/** A process that is started again whenever it ends. */
export interface KeptProcess {
  /** Rejects where it could not begin the first time. */
  readonly started: Promise<void>;
  isReady(): boolean;
  /** what it said of itself last; undefined before it has */
  state(): WorkerState | undefined;
  /** of all that were started here */
  figures(): { requests: number; refused: number };
  ports(): number;
  /** Whether it can have said something, and has, since so long ago. */
  isSilent(time: Milliseconds): boolean;
  tell(message: ToProcess): void;
  /** Whether this is what it began with, or took over last. */
  has(source: unknown): boolean;
  /** Has it take over what was loaded. @returns why it did not; undefined too where it is not ready: it begins with what is loaded then */
  apply(source: unknown): Promise<string | undefined>;
  /** Has it give up the places that this needs on other addresses. */
  giveWay(source: unknown): Promise<void>;
  /** Ends it at once, so that it is started again. */
  kill(): void;
  /** Tells it to end, and ends it after the grace. */
  stop(grace: Milliseconds): Promise<void>;
}

export interface KeptParts {
  role: Role;
  fork: () => Worker;
  /** what it is to begin with, each time */
  begin: () => Promise<Omit<Begin, 'kind'>>;
  log: Log;
  hear: (message: FromProcess, self: KeptProcess) => void;
  /** Hears that it came or went. */
  changed: () => void;
}

/** A process that is not awake after this is ended, and started again. */
const AWAKE_WITHIN: Milliseconds = minutes(1);
/** One that lived so long has not failed at once. */
const LIVED: Milliseconds = minutes(1);
const LONGEST_PAUSE: Milliseconds = seconds(30);

/** What is known of the process that runs now. */
interface Run {
  worker: Worker;
  since: number;
  heard: number | undefined;
  ready: boolean;
  state: WorkerState | undefined;
  failed: { message: string; exitCode: number } | undefined;
  /** what it began with, or took over last */
  source: unknown;
  /** wait for its answers, which come in this order */
  applying: { source: unknown; done: (reason: string | undefined) => void }[];
}

export function keepProcess(parts: KeptParts): KeptProcess {
  const { role, log } = parts;
  let run: Run | undefined;
  let ports = 0;
  let failures = 0;
  let stopping = false;
  let again: NodeJS.Timeout | undefined;
  let ended: () => void = () => undefined;
  const before = { requests: 0, refused: 0 };
  const { promise: started, resolve: isStarted, reject: isFailed } = withResolvers();
  let startedOnce = false;

  function start(): void {
    const worker = parts.fork();
    const now: Run = {
      worker,
      since: performance.now(),
      heard: undefined,
      ready: false,
      state: undefined,
      failed: undefined,
      source: undefined,
      applying: [],
    };
    run = now;
    log.event('process.started', { role, pid: worker.process.pid });
    const unheard = setTimeout(() => now.heard === undefined && worker.process.kill('SIGKILL'), AWAKE_WITHIN);
    worker.on('message', (raw: unknown) => {
      const { data: message } = fromProcess.safeParse(raw);
      if (message !== undefined) take(now, message);
    });
    const gone = (how: string): void => {
      clearTimeout(unheard);
      if (run === now) lose(now, how);
    };
    // Such as a message to a process that has just ended; that it has is told by `exit`. Not so of one that never was: too many, say.
    worker.on('error', (error) => worker.process.pid === undefined && gone(messageOf(error)));
    worker.on('exit', (status, signal) => gone(signal ?? String(status)));
  }

  function take(now: Run, message: FromProcess): void {
    now.heard = performance.now();
    switch (message.kind) {
      case 'awake':
        // It may have been told before it could hear.
        if (stopping) send(now.worker, { kind: 'stop' });
        else {
          void parts.begin().then(
            (begin) => {
              now.source = begin.source;
              send(now.worker, { kind: 'begin', ...begin });
            },
            () => now.worker.process.kill('SIGKILL'),
          );
        }
        break;
      case 'ready':
        ports = message.ports;
        now.ready = true;
        if (startedOnce) log.event('process.back', { role, pid: now.worker.process.pid });
        startedOnce = true;
        isStarted();
        parts.changed();
        break;
      case 'failed':
        now.failed = message;
        now.worker.process.kill('SIGKILL');
        break;
      case 'alive':
        if (message.state !== undefined) now.state = message.state;
        break;
      case 'applied':
        ports = message.ports;
        settle(now, message.reason);
        break;
      default:
    }
    parts.hear(message, kept);
  }

  function settle(now: Run, reason: string | undefined): void {
    const first = now.applying.shift();
    if (first === undefined) return;
    if (reason === undefined) now.source = first.source;
    first.done(reason);
  }

  function lose(gone: Run, how: string): void {
    run = undefined;
    for (const { done } of gone.applying) done(undefined);
    before.requests += gone.state?.requests ?? 0;
    before.refused += gone.state?.refused ?? 0;
    ended();
    if (stopping) return;
    const reason = gone.failed?.message ?? `ended by ${how}`;
    if (!startedOnce) {
      isFailed(
        gone.failed === undefined
          ? new OperatorError(`cannot start: a process (${role}) ${reason}; its own words are above, or in the log`)
          : new OperatorError(gone.failed.message, { exitCode: gone.failed.exitCode }),
      );
      return;
    }
    failures = performance.now() - gone.since > LIVED ? 1 : failures + 1;
    const pause = Math.min(LONGEST_PAUSE, 50 * 2 ** Math.min(failures, 16));
    log.event('process.lost', { role, pid: gone.worker.process.pid, reason, again_in_ms: pause });
    again = setTimeout(start, pause);
    parts.changed();
  }

  function apply(message: Extract<ToProcess, { kind: 'apply' }>): Promise<string | undefined> {
    return new Promise((resolve) => {
      if (stopping || run?.ready !== true) return resolve(undefined);
      const source = message.only === undefined ? message.source : run.source;
      run.applying.push({ source, done: resolve });
      send(run.worker, message);
    });
  }

  const kept: KeptProcess = {
    started,
    isReady: () => run?.ready === true,
    state: () => run?.state,
    figures: () => ({
      requests: before.requests + (run?.state?.requests ?? 0),
      refused: before.refused + (run?.state?.refused ?? 0),
    }),
    ports: () => ports,
    isSilent: (time) => run?.heard !== undefined && performance.now() - run.heard > time,
    tell: (message) => run !== undefined && send(run.worker, message),
    has: (source) => run?.source === source,
    apply: (source) => apply({ kind: 'apply', source }),
    giveWay: async (source) => void (await apply({ kind: 'apply', source, only: 'give-way' })),
    kill: () => void run?.worker.process.kill('SIGKILL'),
    async stop(grace) {
      stopping = true;
      clearTimeout(again);
      if (run === undefined) return;
      const { worker } = run;
      const gone = new Promise<void>((resolve) => {
        ended = resolve;
      });
      send(worker, { kind: 'stop' });
      const late = setTimeout(() => worker.process.kill('SIGKILL'), grace);
      await gone;
      clearTimeout(late);
    },
  };
  // Where the start fails before anybody waits for it.
  started.catch(() => undefined);
  start();
  return kept;
}

/** A callback: it may have ended before it can hear, which is no error of ours. */
function send(worker: Worker, message: ToProcess): void {
  try {
    worker.send(message, undefined, undefined, () => undefined);
  } catch (error) {
    worker.emit('error', new Error(messageOf(error)));
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((...both) => {
    [resolve, reject] = both;
  });
  return { promise, resolve, reject };
}
