import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { freePort } from './free-port.ts';
import { succeed } from './penguindome.ts';
import { scratchFolder } from './scratch.ts';

const SERVER = 'build/penguindome-server';

export interface Installed {
  dir: string;
  config: string;
  url: string;
  localUrl: string;
}

/** What `penguindome setup` makes, on free ports. */
export async function installServer(t: ExecutionContext): Promise<Installed> {
  const dir = join(await scratchFolder(t), 'site');
  const [port, local] = [await freePort(), await freePort()];
  const url = `https://127.0.0.1:${port}`;
  const ports = ['--port', String(port), '--local-port', String(local), '--public-url', url];
  await succeed(['setup', '--yes', '--dir', dir, ...ports]);
  return { dir, config: join(dir, 'server.yml'), url, localUrl: `http://127.0.0.1:${local}` };
}

export interface RunningProgram {
  child: ChildProcess;
  /** what it logged so far */
  lines: Record<string, unknown>[];
  /** exit code, or the signal's name */
  ended: Promise<number | string>;
  waitFor(event: string, count?: number): Promise<void>;
}

/** Runs the built server, in a process group of its own, until the test ends; goes on when this event is logged. */
export async function runServer(
  t: ExecutionContext,
  { config }: Pick<Installed, 'config'>,
  env: Record<string, string> = {},
  event = 'server.ready',
): Promise<RunningProgram> {
  const child = spawn(process.execPath, [SERVER, '--config', config], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  // Once all of them are gone the number may be another group's.
  let gone = false;
  child.on('close', () => {
    gone = true;
  });
  t.teardown(() => {
    if (!gone) killGroup(child);
  });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const whole = (rest + chunk.toString()).split('\n');
    rest = whole.pop() ?? '';
    lines.push(...whole.map((line): Record<string, unknown> => JSON.parse(line)));
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (status, signal) => resolve(status ?? signal ?? 'unknown'));
  });
  const waitFor = async (event: string, count = 1): Promise<void> => {
    while (lines.filter((line) => line['event'] === event).length < count) {
      if (child.exitCode !== null) throw new Error(`the server ended: ${JSON.stringify(lines.at(-1))}`);
      await pause();
    }
  };
  await waitFor(event);
  return { child, lines, ended, waitFor };
}

/** Its workers too, and those that are stopped. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

export interface Processes {
  workers: number[];
  writers: number[];
}

/** The processes that this one has started, by what it told them to be. */
export async function processesOf({ child }: Pick<RunningProgram, 'child'>): Promise<Processes> {
  const found: Processes = { workers: [], writers: [] };
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    if (!(await statusOf(entry)).includes(`\nPPid:\t${child.pid}\n`) || !(await isRunning(Number(entry)))) continue;
    const environment = await readFile(`/proc/${entry}/environ`, 'latin1').catch(() => '');
    const role = environment.split('\0').find((each) => each.startsWith('PENGUINDOME_ROLE='));
    if (role === 'PENGUINDOME_ROLE=worker') found.workers.push(Number(entry));
    if (role === 'PENGUINDOME_ROLE=writer') found.writers.push(Number(entry));
  }
  return found;
}

/** Not ended: one that nobody has waited for yet has. */
export async function isRunning(pid: number): Promise<boolean> {
  return /^State:\t[^ZX]/m.test(await statusOf(String(pid)));
}

function statusOf(pid: string): Promise<string> {
  return readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
}

/** Asks again and again until it holds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
