import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { build } from 'esbuild';

/** A program of test/support/programs/, running: its lines as they come. Killed after the test. */
export interface Running {
  child: ChildProcess;
  /** the next line of JSON; rejects where the program ends before it */
  next(): Promise<unknown>;
  /** all lines that came and were not yet asked for */
  rest(): unknown[];
  /** writes a line of JSON to its standard input */
  tell(message: unknown): void;
}

type Program = 'store-worker' | 'store-writer' | 'order-actor' | 'order-worker';

const built = new Map<Program, Promise<string>>();

/** Built once for each test file, beside the tests, where the packages are found. */
function buildProgram(name: Program): Promise<string> {
  const known = built.get(name);
  if (known !== undefined) return known;
  const outfile = join(dirname(fileURLToPath(import.meta.url)), `${name}-${process.pid}.mjs`);
  const building = build({
    entryPoints: [`test/support/programs/${name}.ts`],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
  }).then(() => outfile);
  built.set(name, building);
  return building;
}

export function runStoreWorker(t: ExecutionContext, ...args: string[]): Promise<Running> {
  return runProgram(t, 'store-worker', args);
}

/** One that races for orders, or puts them in until it is killed. */
export function runOrderWorker(t: ExecutionContext, ...args: string[]): Promise<Running> {
  return runProgram(t, 'order-worker', args);
}

/** The one process that writes to an embedded store which others share. */
export function runStoreWriter(t: ExecutionContext, file: string, socket: string): Promise<Running> {
  return runProgram(t, 'store-writer', [file, socket]);
}

/** Acts on an order, and ends itself where it is told to. @returns what it printed, and the signal that ended it */
export async function runOrderActor(args: object): Promise<{ signal: NodeJS.Signals | null; lines: string[] }> {
  const child = spawn(process.execPath, [await buildProgram('order-actor'), JSON.stringify(args)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface(child.stdout).on('line', (line) => lines.push(line));
  const [, signal]: [number | null, NodeJS.Signals | null] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, ended) => resolve([code, ended]));
  });
  return { signal, lines };
}

/** @returns when it has said its first line */
async function runProgram(t: ExecutionContext, name: Program, args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [await buildProgram(name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const lines: unknown[] = [];
  const waiting: { resolve(line: unknown): void; reject(error: Error): void }[] = [];
  const output = createInterface(child.stdout);
  output.on('line', (line) => {
    const waiter = waiting.shift();
    if (waiter === undefined) lines.push(JSON.parse(line));
    else waiter.resolve(JSON.parse(line));
  });
  output.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('the program has ended'));
  });
  const running: Running = {
    child,
    next: () =>
      new Promise((resolve, reject) => {
        if (lines.length > 0) resolve(lines.shift());
        else waiting.push({ resolve, reject });
      }),
    rest: () => lines.splice(0),
    tell: (message) => child.stdin.write(`${JSON.stringify(message)}\n`),
  };
  await running.next();
  return running;
}
