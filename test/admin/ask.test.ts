import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { readPasswordHash } from '../../src/crypto/password-hash.ts';
import { checkPassword, makeDecoy, passwords } from '../../src/crypto/passwords.ts';
import { parseAccounts } from '../../src/settings/accounts.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { whenPresent } from '../support/needs.ts';
import { succeed } from '../support/penguindome.ts';
import { scratchFolder } from '../support/scratch.ts';

const SCRIPT = '/usr/bin/script';
const onTerminal = whenPresent(existsSync(SCRIPT), 'questions on a real terminal: no /usr/bin/script');

/** Runs `penguindome` on a terminal of its own; whenever a question ends in one of these words, it is answered. */
async function converse(t: ExecutionContext, args: string, answers: [question: RegExp, answer: string][]) {
  const command = `${process.execPath} build/penguindome ${args}`;
  const child = spawn(SCRIPT, ['-qefc', command, '/dev/null'], {
    env: { ...process.env, TERM: 'dumb', NO_COLOR: '1' },
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  let answered = 0;
  const rest = [...answers];
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk;
    const fresh = said.slice(answered);
    const next = rest.findIndex(([question]) => question.test(fresh));
    if (next === -1) return;
    answered = said.length;
    const [[, answer] = [/./, '']] = rest.splice(next, 1);
    child.stdin.write(answer);
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { said, status, unasked: rest.map(([question]) => String(question)) };
}

onTerminal(
  'setup asks on a terminal, asks again where an answer will not do, and never echoes a password',
  async (t) => {
    const dir = join(await scratchFolder(t), 'site');
    const { said, status, unasked } = await converse(t, `setup --dir ${dir}`, [
      [/Host name .*\] $/, 'penguins.example\r'],
      [/Port for agents\? \[8443\] $/, 'many\r'],
      [/expected a port from 0 to 65535\r\n[\s\S]*\[8443\] $/, '8444\r'],
      [/TLS: .*\[made\] $/, '\r'],
      [/Port on 127\.0\.0\.1 .*\] $/, '0\r'],
      [/Store: .*\] $/, 'mongo\r'],
      [/MongoDB hosts .*\] $/, '127.0.0.1:1\r'],
      [/replica set .*\? $/, '\r'],
      [/Name of the database\? \[penguindome\] $/, '\r'],
      [/User of the database .*\? $/, 'pd\r'],
      [/Password of that user .*\? $/, 'hunter2\r'],
      [/TLS to MongoDB\? \[no\] $/, 'yes\r'],
      [/File of the CA that signed its certificate .*\? $/, '\r'],
      [/URL that agents connect to\? \[https:\/\/penguins\.example:8444\] $/, '\r'],
      [/Run the audit .*\[yes\] $/, '\r'],
      [/Mail address .*\? $/, 'admins@penguins.example\r'],
      [/often do agents collect.*\] $/, '\r'],
      [/often do agents submit.*\] $/, '\r'],
      [/Log level .*\] $/, '\r'],
    ]);
    t.deepEqual(unasked, []);
    t.is(status, 75, 'there is no such MongoDB');
    t.false(said.includes('hunter2'));
    const settings = await loadServerSettings(join(dir, 'server.yml'));
    t.like(settings, {
      public_url: 'https://penguins.example:8444',
      local_port: 0,
      store: { kind: 'mongo', user: 'pd', tls: true },
    });
    t.is(settings.audit.mail, 'admins@penguins.example');
    const password = join(dir, 'keys/mongo-password');
    t.is(await readFile(password, 'utf8'), 'hunter2\n');
    t.is((await stat(password)).mode & 0o777, 0o600);
  },
);

for (const [what, key] of [
  ['Ctrl-C', '\u0003'],
  ['end of input', '\u0004'],
] as const) {
  onTerminal(`${what} at a question stops setup before anything is written`, async (t) => {
    const dir = join(await scratchFolder(t), 'site');
    const { status } = await converse(t, `setup --dir ${dir}`, [[/Host name .*\] $/, key]]);
    t.is(status, 130);
    t.false(existsSync(dir));
  });
}

onTerminal('passwords set asks twice, shows neither, and takes none where the two are not the same', async (t) => {
  const dir = join(await scratchFolder(t), 'site');
  await succeed(['setup', '--yes', '--dir', dir]);
  const set = `--config ${dir}/server.yml passwords set fred`;
  const slip = await converse(t, set, [
    [/Password for fred: $/, 'correct horse\r'],
    [/The same again: $/, 'correct house\r'],
  ]);
  t.deepEqual([slip.status, slip.unasked], [1, []]);
  t.regex(slip.said, /cannot set the password: the two were not the same/);
  t.false(existsSync(join(dir, 'accounts.yml')));
  // A space at its end is part of it.
  const good = await converse(t, set, [
    [/Password for fred: $/, 'correct horse \r'],
    [/The same again: $/, 'correct horse \r'],
  ]);
  t.is(good.status, 0, good.said);
  t.false(`${slip.said}${good.said}`.includes('correct'));
  const hash = readPasswordHash(
    parseAccounts(await readFile(join(dir, 'accounts.yml'), 'utf8'), '').users['fred'] ?? '',
  );
  t.true(await checkPassword(passwords, { hash, decoy: makeDecoy(), rounds: 0 }, 'correct horse '));
});
