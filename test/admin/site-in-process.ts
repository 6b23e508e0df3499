import { cp, mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ExecutionContext } from 'ava';
import { runCommandLine } from '../../src/admin/run-command-line.ts';
import { openAdminContext } from '../../src/bin/admin-context.ts';
import { whoOperates } from '../../src/bin/who-operates.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { scratchFolder } from '../support/scratch.ts';
import { realClock, realRandom } from '../support/world.ts';

export interface Operated {
  status: number;
  out: string;
  err: string;
}

/** Runs `penguindome` in this process, on real settings, files and store, without a terminal. */
export async function operate(
  args: readonly string[],
  { input = '', signal = new AbortController().signal }: { input?: string; signal?: AbortSignal } = {},
): Promise<Operated> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  streams.stdin.end(input);
  const status = await runCommandLine({
    argv: args,
    version: '0.0.0-test',
    openContext: (options) =>
      openAdminContext({ streams, noColor: true, credentials: undefined, journalStream: undefined, signal }, options),
    writeOut: (text) => streams.stdout.write(text),
    writeError: (text) => streams.stderr.write(text),
    signal,
    debug: false,
    log: { pid: process.pid, operator: () => whoOperates({}), tell: async () => {} },
  });
  return { status, out: String(streams.stdout.read() ?? ''), err: String(streams.stderr.read() ?? '') };
}

export interface SiteInProcess {
  folder: string;
  config: string;
  run(...args: string[]): Promise<Operated>;
  /** @returns standard output, where it has to succeed */
  ok(...args: string[]): Promise<string>;
  /** the same with --json */
  json(...args: string[]): Promise<unknown>;
  /** @returns standard error, where it has to be refused and the settings have to stay as they are */
  refused(t: ExecutionContext, ...args: string[]): Promise<string>;
  settings(): Promise<string>;
  store(t: ExecutionContext): Promise<Store>;
}

/** Made once for each test file: the key of a CA costs half a second. */
let made: Promise<string> | undefined;

async function setUp(): Promise<string> {
  const folder = join(await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'site-')), 'site');
  const url = ['--public-url', 'https://dome.example.org:8443'];
  const { status, err } = await operate(['setup', '--yes', '--dir', folder, ...url]);
  if (status !== 0) throw new Error(err);
  return folder;
}

/** What `penguindome setup` makes, for https://dome.example.org:8443. */
export async function siteInProcess(t: ExecutionContext): Promise<SiteInProcess> {
  made ??= setUp();
  const folder = join(await scratchFolder(t), 'site');
  await cp(await made, folder, { recursive: true });
  const config = join(folder, 'server.yml');
  const run = (...args: string[]) => operate(['--config', config, ...args]);
  const settings = () => readFile(config, 'utf8');
  const ok = async (...args: string[]) => {
    const { status, out, err } = await run(...args);
    if (status !== 0) throw new Error(`penguindome ${args.join(' ')}: exit status ${status}: ${err}`);
    return out;
  };
  return {
    folder,
    config,
    run,
    ok,
    json: async (...args) => JSON.parse(await ok('--json', ...args)),
    refused: async (context, ...args) => {
      const before = await settings();
      const { status, out, err } = await run(...args);
      context.not(status, 0, out);
      context.is(await settings(), before);
      return err;
    },
    settings,
    store: async (context) => {
      const file = join(folder, 'store/penguindome.db');
      const store = await openStore({ kind: 'embedded', file }, { clock: realClock, random: realRandom });
      context.teardown(() => store.close());
      return store;
    },
  };
}
