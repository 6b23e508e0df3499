import { setMaxListeners } from 'node:events';
import { homedir, hostname } from 'node:os';
import { isatty } from 'node:tty';
import { COLLECTORS } from '../agent/collectors/index.ts';
import { runCommandLine } from '../agent/commands.ts';
import { systemClock, systemRandom, VERSION } from './world.ts';

const stop = new AbortController();
// Every collector and plugin listens to it.
setMaxListeners(0, stop.signal);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
// Whoever reads our output may leave early (| head).
process.stdout.on('error', () => undefined);

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

runCommandLine(
  {
    clock: systemClock,
    random: systemRandom,
    version: VERSION,
    uid: process.geteuid?.() ?? -1,
    home: homedir(),
    hostname: hostname(),
    collectors: COLLECTORS,
    signal: stop.signal,
    readInput,
    inputIsTerminal: isatty(0),
    write: (text) => process.stdout.write(text),
    writeError: (text) => process.stderr.write(text),
  },
  process.argv.slice(2),
).then((status) => {
  process.exitCode = status;
});
