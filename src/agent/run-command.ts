import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { kill } from 'node:process';
import type { Readable } from 'node:stream';
import type { Milliseconds } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { CommandResult } from './collector.ts';
import { hasCode } from './has-code.ts';

export interface Command {
  /** absolute */
  path: string;
  args: readonly string[];
  timeout: Milliseconds;
  /** bytes of each of the two outputs */
  maxOutput: number;
  env: Readonly<Record<string, string>>;
  cwd?: string;
  as?: { uid: number; gid: number };
  /** when it fires, the command ends as if its time were up */
  signal: AbortSignal;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** What a left-over child that kept the pipes open gets after the command itself has ended. */
const DRAIN: Milliseconds = 500;
/** What the kernel gets to end a killed program. One that waits for a disk or a file server that is gone is left behind. */
const DEATH: Milliseconds = 5000;

/** Runs a program in a process group of its own, which is killed whole: at the end, the time limit, or too much output. Never rejects. */
export async function runCommand(command: Command): Promise<CommandResult> {
  if (command.signal.aborted) return { code: null, problem: 'timed-out', stdout: '', stderr: '' };
  try {
    return await follow(start(command), command);
  } catch (error) {
    // What Node does not tell by an event: an argument that is too long or holds a NUL, no file descriptors left.
    return { code: null, problem: problemOf(error), stdout: '', stderr: messageOf(error) };
  }
}

function start({ path, args, cwd = '/', env, as }: Command): Child {
  const child: Child = spawn(path, [...args], {
    cwd,
    detached: true,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  });
  return child;
}

function follow(child: Child, { maxOutput, timeout, signal }: Command): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    let problem: CommandResult['problem'];
    // Where there were no file descriptors left for the pipes either.
    if (child.stdout === undefined || child.stderr === undefined) {
      child.once('error', reject);
      return;
    }
    let drain: NodeJS.Timeout | undefined;
    let death: NodeJS.Timeout | undefined;
    const stop = (reason: CommandResult['problem']) => {
      problem ??= reason;
      killGroup(child);
      death ??= setTimeout(() => {
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
        child.unref();
        finish(null);
      }, DEATH);
    };
    const stdout = keep(child.stdout, maxOutput, () => stop('too-much-output'));
    const stderr = keep(child.stderr, maxOutput, () => stop('too-much-output'));
    const timer = setTimeout(() => stop('timed-out'), timeout);
    const onAbort = () => stop('timed-out');
    signal.addEventListener('abort', onAbort, { once: true });

    const finish = (code: number | null) => {
      clearTimeout(timer);
      clearTimeout(drain);
      clearTimeout(death);
      signal.removeEventListener('abort', onAbort);
      if (code === null) problem ??= 'killed';
      resolve({
        code: problem === undefined ? code : null,
        ...(problem === undefined ? {} : { problem }),
        stdout: stdout(),
        stderr: stderr(),
      });
    };
    child.on('error', (error) => {
      problem ??= problemOf(error);
      // Where it was never started there is no `close`.
      if (child.pid === undefined) finish(null);
    });
    child.on('exit', () => {
      killGroup(child);
      drain = setTimeout(() => {
        for (const stream of [child.stdout, child.stderr]) stream.destroy();
      }, DRAIN);
    });
    child.on('close', finish);
  });
}

function problemOf(error: unknown): 'missing' | 'denied' {
  return hasCode(error, 'ENOENT', 'ENOTDIR') ? 'missing' : 'denied';
}

/** The group outlives its leader as long as any member does; when none is left there is nothing to kill. */
function killGroup(child: Child): void {
  if (child.pid === undefined) return;
  try {
    kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

/** @returns a function that gives what was kept, as UTF-8 */
function keep(stream: NodeJS.ReadableStream, max: number, onFlood: () => void): () => string {
  const pieces: Buffer[] = [];
  let total = 0;
  stream.on('data', (piece: Buffer) => {
    if (total < max) pieces.push(piece.subarray(0, max - total));
    total += piece.length;
    if (total > max) onFlood();
  });
  // A pipe that breaks says no more than the exit status does.
  stream.on('error', () => undefined);
  return () => Buffer.concat(pieces).toString('utf8');
}
