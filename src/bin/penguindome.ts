import { runCommandLine } from '../admin/run-command-line.ts';
import { openAdminContext } from './admin-context.ts';
import { tellJournal } from './journal.ts';
import { whoOperates } from './who-operates.ts';
import { VERSION } from './world.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

// Whoever reads our output may leave early (| head): then there is nothing more to do.
let readerLeft = false;
process.stdout.on('error', () => {
  readerLeft = true;
  stop.abort();
});

const { CREDENTIALS_DIRECTORY, JOURNAL_STREAM, NO_COLOR, PENGUINDOME_DEBUG } = process.env;
const world = {
  streams: process,
  noColor: NO_COLOR !== undefined && NO_COLOR !== '',
  credentials: CREDENTIALS_DIRECTORY,
  journalStream: JOURNAL_STREAM,
  signal: stop.signal,
};

runCommandLine({
  argv: process.argv.slice(2),
  version: VERSION,
  openContext: (options) => openAdminContext(world, options),
  log: { pid: process.pid, operator: () => whoOperates(process.env), tell: tellJournal },
  writeOut: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  signal: stop.signal,
  debug: PENGUINDOME_DEBUG === '1',
}).then((status) => {
  process.exitCode = readerLeft ? 0 : status;
});
