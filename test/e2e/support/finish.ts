import { spawn } from 'node:child_process';

export interface RunOptions {
  /** on standard input */
  input?: string;
}

export interface Finished {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. A program that a signal ends, or that is not there, throws. */
export function finish(command: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === null) reject(new Error(`${command} was ended by ${signal}`));
      else resolve({ status, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
    // A program that does not read its input to the end is not an error of ours.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}
