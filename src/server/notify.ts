import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import systemdNotify from 'systemd-notify';
import type { Milliseconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/events.ts';

const run = promisify(execFile);

/** Tells systemd how the service is (sd_notify(3)); says nothing where nobody listens. Nothing here ever fails the server. */
export interface Notifier {
  ready(status: string): Promise<void>;
  status(text: string): Promise<void>;
  stopping(): Promise<void>;
  /** Asks for so much more time from now, while starting. */
  extend(time: Milliseconds): Promise<void>;
  /** within which systemd wants a ping; undefined where it does not */
  readonly watchdog: Milliseconds | undefined;
  /**
   * Pings at half the watchdog's time until the signal aborts. A timer of the event loop: where that hangs, the pings stop;
   * as they do while `isAlive` says no.
   */
  startWatchdog(signal: AbortSignal, isAlive?: () => boolean): void;
}

export interface SystemdEnvironment {
  /** $NOTIFY_SOCKET */
  socket?: string | undefined;
  /** $WATCHDOG_USEC */
  watchdogMicroseconds?: number | undefined;
}

const SILENT: Notifier = {
  ready: async () => {},
  status: async () => {},
  stopping: async () => {},
  extend: async () => {},
  watchdog: undefined,
  startWatchdog: () => {},
};

export function createNotifier({ socket, watchdogMicroseconds }: SystemdEnvironment, log: Log): Notifier {
  if (socket === undefined || socket === '') return SILENT;
  const watchdog =
    watchdogMicroseconds === undefined || !(watchdogMicroseconds > 0) ? undefined : watchdogMicroseconds / 1000;
  // Messages are told one after the other: READY=1 must not overtake, nor a status be overtaken.
  let last: Promise<void> = Promise.resolve();
  const tell = (message: () => Promise<unknown>): Promise<void> => {
    last = last.then(message).then(
      () => {},
      (error: unknown) => log.event('notify.failed', { reason: messageOf(error) }),
    );
    return last;
  };
  /** What the package does not know: any assignment. The binary is a process of its own, hence NotifyAccess=all in the unit. */
  const assign = (assignment: string): Promise<void> =>
    tell(() => run('systemd-notify', [assignment], { timeout: 10_000 }));

  return {
    ready: (status) => tell(() => systemdNotify({ ready: true, status })),
    status: (text) => tell(() => systemdNotify({ status: text })),
    stopping: () => assign('STOPPING=1'),
    extend: (time) => assign(`EXTEND_TIMEOUT_USEC=${Math.round(time * 1000)}`),
    watchdog,
    startWatchdog(signal, isAlive = () => true) {
      if (watchdog === undefined) return;
      const ping = (): void => {
        if (isAlive()) void assign('WATCHDOG=1');
      };
      const timer = setInterval(ping, watchdog / 2);
      timer.unref();
      signal.addEventListener('abort', () => clearInterval(timer), { once: true });
      ping();
    },
  };
}
