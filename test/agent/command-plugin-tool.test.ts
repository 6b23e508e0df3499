import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { scratchFolder } from '../support/scratch.ts';
import { newMachine } from './support/machine.ts';

/** A machine on which a plugin of this name calls the tool. */
async function asPlugin(t: ExecutionContext, name = 'mine') {
  const room = join(await scratchFolder(t), 'plugins', name);
  const config = join(await scratchFolder(t), 'agent.yml');
  const environment = {
    PENGUINDOME_CACHE_DIRECTORY: join(room, 'cache'),
    PENGUINDOME_CONFIG: config,
    PENGUINDOME_PLUGIN: name,
    PENGUINDOME_STATE_DIRECTORY: join(room, 'state'),
  };
  await mkdir(join(room, 'cache'), { recursive: true });
  const machine = await newMachine(t, { environment });
  return { room, config, tool: machine.feed, machine };
}

test('what a plugin puts into its cache it gets back with the time, and the status tells where there is nothing', async (t) => {
  const { tool, room } = await asPlugin(t);
  t.deepEqual(await plain(tool('', 'plugin-tool', 'cache', 'get', 'seen')), [1, '', '']);
  t.deepEqual(await plain(tool('{"users": ["ann"]}\n', 'plugin-tool', 'cache', 'put', 'seen')), [0, '', '']);
  const got = await tool('', 'plugin-tool', 'cache', 'get', 'seen');
  t.like(got.json(), { value: { users: ['ann'] } });
  t.true(Math.abs(Date.parse(String(got.json()['at'])) - Date.now()) < 60_000);
  t.regex(got.out, /^\{.*\}\n$/);
  t.truthy(await readFile(join(room, 'cache/seen.json'), 'utf8'));
});

test('a plugin reaches no cache but its own', async (t) => {
  const { tool } = await asPlugin(t, 'mine');
  const other = await asPlugin(t, 'other');
  await other.tool('1', 'plugin-tool', 'cache', 'put', 'seen');
  t.is((await tool('', 'plugin-tool', 'cache', 'get', 'seen')).status, 1);
  for (const name of ['../../other/cache/seen', '/etc/passwd', '..', 'a.b', '', 'x'.repeat(101)]) {
    for (const verb of ['get', 'put']) {
      const said = await tool('1', 'plugin-tool', 'cache', verb, name);
      t.is(said.status, 2, name);
      t.regex(said.err, /cannot keep anything as/);
    }
  }
});

test('what is no JSON, or too much of it, is not kept', async (t) => {
  const { tool } = await asPlugin(t);
  for (const [text, status] of [
    ['', 2],
    ['{', 2],
    ['1 2', 2],
    [`"${'x'.repeat(4 * 1024 * 1024)}"`, 1],
  ] as const) {
    const said = await tool(text, 'plugin-tool', 'cache', 'put', 'seen');
    t.is(said.status, status, text.slice(0, 10));
    t.regex(said.err, /cannot keep seen/);
  }
  t.is((await tool('', 'plugin-tool', 'cache', 'get', 'seen')).status, 1);
});

test('settings are told by path, texts as they are, and those of others or secrets are as if they were not set', async (t) => {
  const { tool, config } = await asPlugin(t);
  await writeFile(
    config,
    'url: https://dome:8443\nplugins: {settings: {mine: {days: 7, password: p}, other: {days: 9}}}\n',
  );
  const setting = (path: string, ...options: string[]) => plain(tool('', ...options, 'plugin-tool', 'setting', path));
  t.deepEqual(await setting('url'), [0, 'https://dome:8443\n', '']);
  t.deepEqual(await setting('url', '--json'), [0, '"https://dome:8443"\n', '']);
  t.deepEqual(await setting('.days'), [0, '7\n', '']);
  for (const path of ['.password', '.missing', 'plugins.settings.other.days'])
    t.deepEqual(await setting(path), [1, '', '']);
});

test('the state directory is printed, and a line is logged in the form that the agent looks for', async (t) => {
  const { tool, room } = await asPlugin(t);
  t.deepEqual(await plain(tool('', 'plugin-tool', 'state-directory')), [0, `${join(room, 'state')}\n`, '']);
  t.deepEqual(await plain(tool('', 'plugin-tool', 'log', 'warning', 'it', 'is hot')), [0, '', '<4>it is hot\n']);
  const wrong = await tool('', 'plugin-tool', 'log', 'loud', 'x');
  t.is(wrong.status, 2);
  t.regex(wrong.err, /loud is none of emergency, alert/);
});

test('called by somebody who is no plugin it says so, and touches nothing', async (t) => {
  const machine = await newMachine(t);
  for (const command of ['cache get x', 'cache put x', 'state-directory']) {
    const said = await machine.feed('1', 'plugin-tool', ...command.split(' '));
    t.is(said.status, 2, command);
    t.regex(said.err, /is not set, which it is for plugins that the agent runs/);
  }
});

test('root and those who are not logged in have nothing run for them', async (t) => {
  const machine = await newMachine(t);
  for (const user of ['root', 'nobody', '--all', '-h', 'no such user']) {
    const said = await machine.run('plugin-tool', 'user-run', '--', user, 'id');
    t.not(said.status, 0, user);
    t.is(said.out, '');
    t.regex(said.err, /cannot (run anything|tell who is logged in)/);
  }
});

test('wrong usage is status 2', async (t) => {
  const machine = await newMachine(t);
  for (const words of [
    'cache',
    'cache get',
    'users --x --xinit',
    'user-run ann',
    'user-run --timeout x ann -- id',
    'log info',
  ]) {
    t.is((await machine.run('plugin-tool', ...words.split(' '))).status, 2, words);
  }
});

async function plain(said: Promise<{ status: number; out: string; err: string }>): Promise<[number, string, string]> {
  const { status, out, err } = await said;
  return [status, out, err];
}
