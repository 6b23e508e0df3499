import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Collector } from '../../../src/agent/collector.ts';
import { runCommandLine } from '../../../src/agent/command-line.ts';
import { type Places, placesOf } from '../../../src/agent/places.ts';
import { readSubmitterState, type SubmitterState } from '../../../src/agent/submitter-state.ts';
import type { Clock } from '../../../src/core/world.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock, realRandom } from '../../support/world.ts';
import type { Site } from './site.ts';

export interface Said {
  status: number;
  out: string;
  err: string;
  /** standard output as JSON, with --json */
  json(): Record<string, unknown>;
}

/** A host with an agent of its own: the real commands over a folder of the test's, without another process. */
export interface Machine {
  state: string;
  places: Places;
  /** what its collectors say from now on, by name */
  facts: Record<string, unknown>;
  run(...args: string[]): Promise<Said>;
  /** the same with this on standard input */
  feed(input: string, ...args: string[]): Promise<Said>;
  settings(text: string): Promise<void>;
  plugin(file: string, script: string, mode?: number): Promise<string>;
  /** ids of the reports in the spool */
  spooled(): Promise<string[]>;
  submitter(): Promise<SubmitterState>;
}

export interface MachineOptions {
  hostname?: string;
  clock?: Clock;
  collectors?: readonly Collector[];
  /** another machine's folder: what a cloned disk is */
  state?: string;
  /** of the process */
  environment?: Readonly<Record<string, string>>;
  /** $CREDENTIALS_DIRECTORY */
  credentials?: string;
}

export async function newMachine(t: ExecutionContext, options: MachineOptions = {}): Promise<Machine> {
  const state = options.state ?? join(await scratchFolder(t), 'state');
  const places = placesOf({ state });
  const facts: Record<string, unknown> = { os_info: { distname: 'Debian GNU/Linux', version: '12' } };
  const own = (): Collector[] =>
    Object.keys(facts).map((name) => ({
      name,
      describe: `says what the test says of ${name}`,
      timeout: 10_000,
      collect: async () => facts[name],
    }));

  async function feed(input: string, ...args: string[]): Promise<Said> {
    let [out, err] = ['', ''];
    const status = await runCommandLine(
      {
        clock: options.clock ?? realClock,
        random: realRandom,
        version: '0.0.0-test',
        uid: process.geteuid?.() ?? 0,
        home: state,
        hostname: options.hostname ?? 'testhost',
        environment: options.environment ?? {},
        credentials: options.credentials,
        program: {
          pluginTool: resolve('build/penguindome-plugin-tool'),
          agent: resolve('build/penguindome-agent'),
          node: process.execPath,
        },
        collectors: async () => options.collectors ?? own(),
        signal: new AbortController().signal,
        readInput: async (max) => input.slice(0, max),
        inputIsTerminal: false,
        write: (text) => {
          out += text;
        },
        writeError: (text) => {
          err += text;
        },
      },
      ['--state', state, ...args],
    );
    return { status, out, err, json: () => JSON.parse(out) };
  }

  return {
    state,
    places,
    facts,
    feed,
    run: (...args) => feed('', ...args),
    settings: async (text) => {
      await mkdir(places.settingsFolder, { recursive: true });
      await writeFile(join(places.settingsFolder, '90-test.yml'), text);
    },
    plugin: async (file, script, mode = 0o755) => {
      await mkdir(places.settingsFolder, { recursive: true });
      await writeFile(join(places.settingsFolder, '10-plugins.yml'), 'plugins:\n  local: true\n');
      const path = join(dirname(places.settings), 'plugins', file);
      await mkdir(dirname(path), { recursive: true, mode: 0o755 });
      await writeFile(path, script);
      await chmod(path, mode);
      return path;
    },
    spooled: async () =>
      (await readdir(places.spool.reports)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5)),
    submitter: async () => {
      const state = await readSubmitterState(places);
      if (state === undefined) throw new Error('the submitter has no state yet');
      return state;
    },
  };
}

export async function enrolledMachine(t: ExecutionContext, site: Site, options: MachineOptions = {}): Promise<Machine> {
  const machine = await newMachine(t, options);
  const said = await machine.feed(await site.token(), 'enroll');
  t.is(said.status, 0, said.err);
  return machine;
}

export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8'));
}
