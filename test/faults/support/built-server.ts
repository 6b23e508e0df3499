import { type ChildProcess, spawn } from 'node:child_process';
import type { ExecutionContext } from 'ava';

const SERVER = 'build/penguindome-server';

export interface LogLine {
  event: string;
  host?: string;
  [field: string]: unknown;
}

/** The built server, with all of its processes. */
export interface BuiltServer {
  child: ChildProcess;
  /** what it has logged so far, in order */
  lines: LogLine[];
  /** what it has written to standard error: nothing, while all is well */
  complaints(): string;
  ended: Promise<number | string>;
  /** Until the event has been logged so often. */
  waitFor(event: string, count?: number): Promise<void>;
  /** Of a process of that role that runs now, as the log tells. */
  pidOf(role: 'worker' | 'writer'): number;
  /** -9 to the process that was started, or to it and all that it has started. Resolves when it is gone. */
  kill(whom: 'primary' | 'all'): Promise<void>;
  /** SIGTERM. Resolves with the exit status. */
  stop(): Promise<number | string>;
}

/** Runs the built server until the test ends. */
export async function startServer(t: ExecutionContext, { config }: { config: string }): Promise<BuiltServer> {
  const child = spawn(process.execPath, [SERVER, '--config', config], {
    // a group of its own, so that all of its processes can be killed at once
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Once all of them are gone the number may be another group's.
  let gone = false;
  child.on('close', () => {
    gone = true;
  });
  t.teardown(() => {
    if (!gone) killGroup(child);
  });
  const lines: LogLine[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const whole = (rest + chunk.toString()).split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole.map((line): LogLine => JSON.parse(line)));
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
    process.stderr.write(chunk);
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const server: BuiltServer = {
    child,
    lines,
    complaints: () => complaints,
    ended,
    async waitFor(event, count = 1) {
      while (lines.filter((line) => line.event === event).length < count) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`the server ended: ${JSON.stringify(lines.at(-1))}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    pidOf(role) {
      const lost = new Set(lines.filter(({ event }) => event === 'process.lost').map(({ pid }) => pid));
      const running = lines.findLast((line) => isStarted(line, role) && !lost.has(line['pid']));
      return Number(running?.['pid']);
    },
    async kill(whom) {
      if (whom === 'primary') child.kill('SIGKILL');
      else if (!gone) killGroup(child);
      // the log's pipe closes when the last of its processes is gone
      await ended;
    },
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
  await server.waitFor('server.ready');
  return server;
}

function isStarted({ event, role }: LogLine, wanted: string): boolean {
  return event === 'process.started' && role === wanted;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

/** What ends a report that was accepted. */
const SETTLED = new Set(['submit.stored', 'submit.checked-in', 'submit.repeated', 'submit.gone', 'request.refused']);

/**
 * How many reports were accepted (`submit.accepted`: the signature is good, nothing is stored) and not yet ended at that moment,
 * or (where none is given) when the log ended.
 */
export function underWay(lines: readonly LogLine[], at?: Date): number {
  const open = new Map<string, number>();
  for (const { event, host = '', time } of lines) {
    if (at !== undefined && new Date(String(time)) > at) continue;
    const count = open.get(host) ?? 0;
    if (event === 'submit.accepted') open.set(host, count + 1);
    else if (SETTLED.has(event) && count > 0) open.set(host, count - 1);
  }
  return [...open.values()].reduce((sum, count) => sum + count, 0);
}
