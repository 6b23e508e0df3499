import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { kill } from 'node:process';
import type { Readable } from 'node:stream';
import { formatDuration, type Milliseconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import type { Clock } from '../../core/world.ts';
import { hasCode } from '../has-code.ts';
import { capture } from './capture.ts';
import { killMarked } from './kill-marked.ts';
import type { Ran } from './order-state.ts';

export interface Script {
  /** absolute */
  path: string;
  timeout: Milliseconds;
  /** bytes of each of its outputs that are kept */
  keep: number;
  env: Readonly<Record<string, string>>;
  /** the variable of `env` by which all that it starts is found */
  mark: string;
  clock: Clock;
  /** when it fires, the script is ended */
  signal: AbortSignal;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** What a left-over child that kept the pipes open gets after the script itself has ended. */
const DRAIN: Milliseconds = 500;
/** What the kernel gets to end a killed one. */
const DEATH: Milliseconds = 5000;

const INTERRUPTED = 'interrupted: it was ended with the process that ran it';

/**
 * Runs one program of an order to its end, in a process group and session of its own, in `/`, with nothing on its standard input. Output past the limit is read and thrown away.
 * At its end its process group is killed, at its time limit also all that it started elsewhere. Never rejects.
 */
export async function runScript(script: Script): Promise<Omit<Ran, 'path'>> {
  const began = script.clock.now();
  const duration = () => Math.max(0, script.clock.now().getTime() - began.getTime());
  const nothing = { text: '', bytes: 0, truncated: false };
  if (script.signal.aborted) return { reason: INTERRUPTED, duration_ms: 0, stdout: nothing, stderr: nothing };
  try {
    const { path, env } = script;
    const child: Child = spawn(path, [], { cwd: '/', detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return { ...(await follow(child, script)), duration_ms: duration() };
  } catch (error) {
    return {
      reason: `it does not start: ${messageOf(error)}`,
      duration_ms: duration(),
      stdout: nothing,
      stderr: nothing,
    };
  }
}

function follow(
  child: Child,
  { timeout, keep, mark, env, signal }: Script,
): Promise<Omit<Ran, 'path' | 'duration_ms'>> {
  return new Promise((resolve) => {
    const stdout = capture(child.stdout, keep);
    const stderr = capture(child.stderr, keep);
    let reason: string | undefined;
    let death: NodeJS.Timeout | undefined;
    const drop = () => {
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    };
    const stop = (why: string) => {
      reason ??= why;
      killGroup(child);
      killMarked(`${mark}=${env[mark]}`);
      death ??= setTimeout(() => {
        drop();
        child.unref();
        finish(null, null);
      }, DEATH);
    };
    const timer = setTimeout(() => stop(`it did not end within ${formatDuration(timeout)}`), timeout);
    const onAbort = () => stop(INTERRUPTED);
    signal.addEventListener('abort', onAbort, { once: true });
    let drain: NodeJS.Timeout | undefined;

    const finish = (code: number | null, ended: NodeJS.Signals | null) => {
      for (const one of [timer, drain, death]) clearTimeout(one);
      signal.removeEventListener('abort', onAbort);
      reason ??= code === 0 ? undefined : code === null ? `${ended ?? 'a signal'} ended it` : `exit status ${code}`;
      resolve({
        ...(code === null ? {} : { exit_status: code }),
        ...(ended === null ? {} : { signal: ended }),
        ...(reason === undefined ? {} : { reason }),
        stdout: stdout(),
        stderr: stderr(),
      });
    };
    child.on('error', (error) => {
      reason ??= hasCode(error, 'ENOENT', 'ENOTDIR')
        ? 'it, or the interpreter that it names, is missing'
        : `it may not be run: ${messageOf(error)}`;
      // Where it was never started there is no `close`.
      if (child.pid === undefined) finish(null, null);
    });
    child.on('exit', () => {
      killGroup(child);
      drain = setTimeout(drop, DRAIN);
    });
    child.on('close', finish);
  });
}

function killGroup(child: Child): void {
  if (child.pid === undefined) return;
  try {
    kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}
