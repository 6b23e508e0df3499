import { setMaxListeners } from 'node:events';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { isatty } from 'node:tty';
import { runCommandLine } from '../agent/command-line.ts';
import type { AgentContext } from '../agent/context.ts';
import { systemClock, systemRandom, VERSION } from './world.ts';

/** What penguindome-agent.ts, which loads this, gets from it. */
export interface AgentMain {
  main(): Promise<void>;
  /** Does in a folder of its own what timers make the agent do, and keeps the code that V8 has compiled until then. */
  rehearse(keep: { file: string; content: () => Uint8Array }): Promise<void>;
}

export async function main(): Promise<void> {
  const stop = new AbortController();
  // Every collector and plugin listens to it.
  setMaxListeners(0, stop.signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  process.exitCode = await runCommandLine(contextOf(stop.signal), process.argv.slice(2));
}

export async function rehearse({ file, content }: { file: string; content: () => Uint8Array }): Promise<void> {
  const { rehearseTimers } = await import('../agent/rehearse-timers.ts');
  await rehearseTimers(contextOf(new AbortController().signal));
  const { writeAtomically } = await import('../agent/write-atomically.ts');
  await writeAtomically(file, content(), 0o644);
}

function contextOf(signal: AbortSignal): AgentContext {
  return {
    clock: systemClock,
    random: systemRandom,
    version: VERSION,
    uid: process.geteuid?.() ?? -1,
    home: homedir(),
    credentials: process.env['CREDENTIALS_DIRECTORY'],
    hostname: hostname(),
    environment: process.env,
    program: {
      pluginTool: join(__dirname, 'penguindome-plugin-tool'),
      agent: join(__dirname, 'penguindome-agent'),
      node: process.execPath,
    },
    collectors: async () => (await import('../agent/collectors/index.ts')).COLLECTORS,
    signal,
    readInput,
    inputIsTerminal: isatty(0),
    write: writeOut,
    writeError: (text) => process.stderr.write(text),
  };
}

function writeOut(text: string): void {
  // Whoever reads our output may leave early (| head).
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => undefined);
  process.stdout.write(text);
}

async function readInput(max: number): Promise<string> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of process.stdin) {
    const bytes = Buffer.from(piece);
    pieces.push(bytes);
    total += bytes.length;
    if (total >= max) break;
  }
  return Buffer.concat(pieces).toString('utf8', 0, max);
}
