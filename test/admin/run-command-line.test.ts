import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { penguindome, succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const SETTINGS = `# a comment
public_url: https://penguins.example # what agents connect to
ports: [{port: 8443, tls: false}]
store: {kind: embedded, file: store.db}
state: state
pki: pki
keys: keys
`;

async function site(t: ExecutionContext, text = SETTINGS): Promise<string> {
  const file = join(await scratchFolder(t), 'server.yml');
  await writeFile(file, text);
  return file;
}

test('--config and --json go before the command, between its words, and after it', async (t) => {
  const file = await site(t);
  for (const args of [
    ['--json', '--config', file, 'settings', 'get', 'log.level'],
    ['settings', '--config', file, 'get', '--json', 'log.level'],
    ['settings', 'get', 'log.level', '--json', `--config=${file}`],
  ]) {
    t.is(await succeed(args), '"info"\n', args.join(' '));
  }
  const { stdout } = await penguindome(['settings', 'get', 'log.level'], { env: { PENGUINDOME_CONFIG: file } });
  t.is(stdout, 'info\n');
});

test('an error is one line on standard error, and a number', async (t) => {
  const file = await site(t);
  const cases: [string[], number, RegExp][] = [
    [
      ['settings', 'get', 'limts'],
      1,
      /^penguindome: cannot find limts: there is no such setting; did you mean limits\?\n$/,
    ],
    [
      ['--config', '/none/server.yml', 'hosts', 'list'],
      3,
      /^penguindome: cannot use the settings in \/none\/server\.yml:\n.*penguindome setup makes one\)\n$/,
    ],
    [['settings', 'set', 'log.level'], 2, /^penguindome: cannot set: expected a value, or --unset\n$/],
    [['settings', 'gte'], 2, /^penguindome: cannot go on: unknown command 'gte'\n\(Did you mean get\?\)\n$/],
    [['hosts', 'list', '--nosuch'], 2, /^penguindome: cannot go on: unknown option '--nosuch'\n$/],
    [['settings', 'set', 'log.level', 'loud'], 3, /log\.level: expected debug, info, warn or error, found "loud"\n$/],
  ];
  for (const [args, status, said] of cases) {
    const ran = await penguindome(['--config', file, ...args]);
    t.is(ran.status, status, args.join(' '));
    t.regex(ran.stderr, said);
    t.is(ran.stdout, '');
  }
});

test('help and version succeed; a group without a command is wrong usage and shows its help', async (t) => {
  t.regex(await succeed(['--version']), /^\d+\.\d+\.\d+\n$/);
  t.regex(await succeed(['settings', '--help']), /^Usage: penguindome settings/);
  const bare = await penguindome(['settings']);
  t.is(bare.status, 2);
  t.regex(bare.stderr, /^Usage: penguindome settings/);
});

test('a reader that leaves early is no error', async (t) => {
  const file = await site(t);
  const { spawn } = await import('node:child_process');
  const child = spawn(process.execPath, ['build/penguindome', '--config', file, 'settings', 'get'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let complained = '';
  child.stderr.on('data', (chunk) => {
    complained += chunk;
  });
  const status = await new Promise((resolve) => child.on('close', resolve));
  t.is(complained, '');
  t.is(status, 0);
});

test('a fault of the system is no fault of the program', async (t) => {
  const file = await site(t);
  await mkdir(join(file, '..', 'store.db'));
  const { status, stderr } = await penguindome(['--config', file, 'hosts', 'list']);
  t.not(status, 70, stderr);
  t.not(status, 0);
  t.regex(stderr, /^penguindome: cannot /);
});

test('settings set changes one line of the file', async (t) => {
  const file = await site(t);
  t.regex(await succeed(['--config', file, 'settings', 'set', 'public_url', 'https://other.example']), /is changed/);
  t.is(await readFile(file, 'utf8'), SETTINGS.replace('penguins.example', 'other.example'));
  const again = await succeed(['--config', file, 'settings', 'set', 'public_url', 'https://other.example', '--json']);
  t.deepEqual(JSON.parse(again), { changed: false, settings: file });
  await succeed(['--config', file, 'settings', 'set', 'audit.mail', 'a@b.example']);
  t.is(await succeed(['--config', file, 'settings', 'get', 'audit.mail']), 'a@b.example\n');
  await succeed(['--config', file, 'settings', 'set', 'audit.mail', '--unset']);
  t.is(await succeed(['--config', file, 'settings', 'get', 'audit.mail']), '\n');
});

test('settings get shows what is in force: defaults, durations in words, absolute paths', async (t) => {
  const file = await site(t);
  t.is(await succeed(['--config', file, 'settings', 'get', 'agents.collect_interval']), '10m\n');
  t.is(await succeed(['--config', file, 'settings', 'get', 'ports.0.port']), '8443\n');
  t.is(await succeed(['--config', file, 'settings', 'get', 'keys']), `${join(file, '..', 'keys')}\n`);
  t.like(JSON.parse(await succeed(['--config', file, 'settings', 'get', '--json'])), {
    limits: { headers_timeout: '10s' },
    ports: [{ port: 8443, deprecated: false }],
  });
});
