import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { whenPresent } from '../support/needs.ts';

const run = promisify(execFile);
const node18 = process.env['PENGUINDOME_TEST_NODE18'];
const SERVER_ONLY = ['koa', '@koa/router', 'mongodb', 'argon2', 'libsql', '@libsql', 'sodium-native', 'zod'];

test('npm run build makes three executable programs that say their version', async (t) => {
  for (const name of ['penguindome', 'penguindome-agent', 'penguindome-server']) {
    await access(`build/${name}`, constants.X_OK);
    const { stdout } = await run(`build/${name}`, ['--version']);
    t.regex(stdout, /^\d+\.\d+\.\d+\n$/, name);
  }
});

test("the agent's bundle holds nothing of the server's", async (t) => {
  const inputs: string[] = JSON.parse(await readFile('build/inputs.json', 'utf8'))['penguindome-agent'];
  t.true(inputs.some((path) => path.startsWith('src/agent/')));
  t.deepEqual(
    inputs.filter(
      (path) =>
        SERVER_ONLY.some((name) => path.includes(`node_modules/${name}/`)) ||
        path.startsWith('src/server/') ||
        path.startsWith('src/store/'),
    ),
    [],
  );
});

whenPresent(node18 !== undefined, 'the agent on Node 18.19: it could not be installed')(
  'the agent runs on Node 18.19, the oldest that it is for',
  async (t) => {
    const node = node18 ?? '';
    t.is((await run(node, ['--version'])).stdout, 'v18.19.1\n');
    const state = await mkdtemp(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? '/tmp', 'node18-'));
    t.teardown(() => rm(state, { recursive: true, force: true }));
    const { stdout } = await run(node, ['build/penguindome-agent', '--state', state, 'collect', '--show']);
    t.truthy(JSON.parse(stdout));
  },
);
