import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import test from 'ava';
import { readExitCodes } from '../../packaging/man/pages.ts';
import { everyCommand, operatorContext, operatorTree } from '../../packaging/man/trees.ts';
import { EXIT } from '../../src/admin/exit-codes.ts';
import { pathOf } from '../../src/admin/log-commands.ts';
import { runCommandLine } from '../../src/admin/run-command-line.ts';
import { UNLOGGED } from '../../src/admin/unlogged-commands.ts';
import { EXIT as AGENT_EXIT } from '../../src/agent/exit-codes.ts';
import { whenPresent } from '../support/needs.ts';
import { type OperatedSite, operatedSite } from '../support/operated-site.ts';

const LEAVES = everyCommand(operatorTree()).filter(({ commands }) => commands.length === 0);
const READERS = LEAVES.map(pathOf).filter((path) => UNLOGGED.has(path));

/** What a command that reads is given here, where it must be given something. */
const GIVEN: Readonly<Record<string, string[]>> = {
  'hosts show': ['lap-17'],
  'hosts history': ['lap-17'],
  'checks show': ['firewall-disabled'],
  'checks test': ['checks.d/firewall-disabled.yaml'],
  'checks explain': ['lap-17', 'firewall-disabled'],
  // ids begin with the time: the beginning of the only order
  'orders show': ['0'],
  'orders verify': ['0'],
  completion: ['bash'],
  'completion-names': ['hosts'],
};

const argsOf = (path: string): string[] => [...path.split(' '), ...(GIVEN[path] ?? [])];

/** A few at a time: each is a process. */
async function each<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

const ESCAPE = '\u001b';

let site: OperatedSite;
test.before(async (t) => {
  // ava hands a hook the context that tests have, but for its end: what it makes goes with the run
  site = await operatedSite(Object.assign(t, { teardown: () => undefined }), ['lap-17', 'lap-18']);
  await site.succeed('command', 'id', '--host', 'lap-17');
});

test('each command that only reads gives one JSON value with --json, and a listing an empty one where nothing is', async (t) => {
  await each(READERS, async (path) => {
    const { status, stdout, stderr } = await site.run('--json', ...argsOf(path));
    t.is(status, 0, `${path}: ${stderr}`);
    t.notThrows(() => JSON.parse(stdout), `${path}: ${stdout.slice(0, 200)}`);
    t.is(stderr, '', path);
  });
  t.deepEqual(await site.json('issues', 'list', '--host', 'nobody'), []);
  t.deepEqual(await site.json('log', 'list', '--user', 'nobody-here'), []);
});

test('no command that only reads colours what goes to a pipe', async (t) => {
  await each(READERS, async (path) => {
    const { status, stdout, stderr } = await site.run(...argsOf(path));
    t.is(status, 0, `${path}: ${stderr}`);
    t.false(`${stdout}${stderr}`.includes(ESCAPE), path);
  });
});

test('a command that must be given something has it here', (t) => {
  for (const command of LEAVES) {
    const needs = command.registeredArguments.some(({ required }) => required);
    if (needs && UNLOGGED.has(pathOf(command))) t.truthy(GIVEN[pathOf(command)], pathOf(command));
  }
});

whenPresent(existsSync('/usr/bin/script'), 'colours on a terminal: script (Debian package bsdutils)')(
  'on a terminal there are colours and lines that fit it, and with NO_COLOR no colours',
  (t) => {
    const on = (environment: string, columns: number) =>
      spawnSync(
        'script',
        [
          '-qec',
          `stty cols ${columns}; ${environment} ${process.execPath} build/penguindome --config ${site.config} checks list`,
          '/dev/null',
        ],
        { encoding: 'utf8', input: '' },
      ).stdout;
    t.true(on('NO_COLOR=', 100).includes(ESCAPE), 'an empty one means nothing (no-color.org)');
    const plain = on('NO_COLOR=1', 100);
    t.regex(plain, /\nfirewall-/);
    t.false(plain.includes(ESCAPE));
    for (const line of plain.split('\r\n')) t.true(line.length <= 100, line);
  },
);

test('docs/exit-codes.md names each status that the programs end with, and no other', async (t) => {
  const page = await readFile('docs/exit-codes.md', 'utf8');
  const launcher = /^exit (\d+)$/m.exec(await readFile('packaging/penguindome-node', 'utf8'));
  const documented = (program: string) => readExitCodes(page, program).map(({ status }) => Number(status));
  const ends = (codes: Record<string, number>) =>
    [...Object.values(codes), Number(launcher?.[1])].sort((a, b) => a - b);
  t.deepEqual(documented('penguindome'), ends(EXIT));
  t.deepEqual(documented('penguindome-agent'), ends(AGENT_EXIT));
});

test('wrong usage is status 2 for every command, says so on standard error, and opens nothing', async (t) => {
  const never = async (): Promise<never> => {
    throw new Error('nothing is done, so there is nothing to log');
  };
  for (const path of LEAVES.map(pathOf)) {
    let out = '';
    let err = '';
    const status = await runCommandLine({
      argv: [...path.split(' '), '--no-such-option'],
      version: '0.0.0',
      openContext: () => ({ context: operatorContext(), close: async () => undefined }),
      log: { pid: 1, operator: never, tell: never },
      writeOut: (text) => {
        out += text;
      },
      writeError: (text) => {
        err += text;
      },
      signal: new AbortController().signal,
      debug: false,
    });
    t.is(status, EXIT.usage, path);
    t.regex(
      err,
      /^penguindome: cannot go on: (unknown option '--no-such-option'|missing required argument|required option)/,
      path,
    );
    t.is(out, '', path);
  }
});
