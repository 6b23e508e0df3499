import { type ChildProcess, spawn } from 'node:child_process';
import { kill } from 'node:process';
import type { Milliseconds } from '../core/duration.ts';
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

/** What a left-over child that kept the pipes open gets after the command itself has ended. */
const DRAIN: Milliseconds = 500;

/** Runs a program in a process group of its own, which is killed whole: at the end, the time limit, or too much output. Never rejects. */
export function runCommand(command: Command): Promise<CommandResult> {
  return new Promise((resolve) => {
    if (command.signal.aborted) {
      resolve({ code: null, problem: 'timed-out', stdout: '', stderr: '' });
      return;
    }
    let problem: CommandResult['problem'];
    const child = spawn(command.path, [...command.args], {
      cwd: command.cwd ?? '/',
      detached: true,
      env: { ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...command.as,
    });
    const stop = (reason: CommandResult['problem']) => {
      problem ??= reason;
      killGroup(child);
    };
    const stdout = keep(child.stdout, command.maxOutput, () => stop('too-much-output'));
    const stderr = keep(child.stderr, command.maxOutput, () => stop('too-much-output'));
    const timer = setTimeout(() => stop('timed-out'), command.timeout);
    const onAbort = () => stop('timed-out');
    command.signal.addEventListener('abort', onAbort, { once: true });

    let drain: NodeJS.Timeout | undefined;
    const finish = (code: number | null) => {
      clearTimeout(timer);
      clearTimeout(drain);
      command.signal.removeEventListener('abort', onAbort);
      if (code === null) problem ??= 'killed';
      resolve({
        code: problem === undefined ? code : null,
        ...(problem === undefined ? {} : { problem }),
        stdout: stdout(),
        stderr: stderr(),
      });
    };
    child.on('error', (error) => {
      problem ??= hasCode(error, 'ENOENT', 'ENOTDIR') ? 'missing' : 'denied';
      // Where it was never started there is no `close`.
      if (child.pid === undefined) finish(null);
    });
    child.on('exit', () => {
      killGroup(child);
      drain = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, DRAIN);
    });
    child.on('close', finish);
  });
}

/** The group outlives its leader as long as any member does; when none is left there is nothing to kill. */
function killGroup(child: ChildProcess): void {
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
