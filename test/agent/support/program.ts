import { type ChildProcess, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { resolve } from 'node:path';

/** The agent as it is shipped. */
const PROGRAM = resolve('build/penguindome-agent');

export interface Ended {
  /** null where a signal ended it */
  status: number | null;
  out: string;
  err: string;
}

export interface AgentOptions {
  node?: string;
  /** on standard input */
  input?: string;
  /** a module that Node loads before it, such as one that moves its clock */
  preload?: string;
}

/** Runs the built agent as a process of its own. */
export function startAgent(
  args: readonly string[],
  { node = process.execPath, input = '', preload }: AgentOptions = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(node, [...(preload === undefined ? [] : ['--require', preload]), PROGRAM, ...args], {
    env: { HOME: homedir(), PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => {
    out += piece.toString();
  });
  child.stderr.on('data', (piece: Buffer) => {
    err += piece.toString();
  });
  // A program that is killed does not read what it is fed.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out, err }));
  });
  return { child, ended };
}

export async function runAgent(args: readonly string[], options: AgentOptions = {}): Promise<Ended> {
  return startAgent(args, options).ended;
}
