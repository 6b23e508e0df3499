import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { openStore } from '../../src/store/open.ts';
import { freePort } from '../support/free-port.ts';
import { httpRequest } from '../support/http.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore, mongoSettings } from '../support/stores.ts';
import { enrolledClient } from '../support/v2-client.ts';
import { realClock, realRandom } from '../support/world.ts';

const mongod = process.env['PENGUINDOME_TEST_MONGOD'];

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function waitForEvent(
  server: TestServer,
  name: 'store.lost' | 'store.back' | 'store.maintenance',
): Promise<void> {
  while (server.events(name).length === 0) await sleep(50);
}

whenPresent(mongod !== undefined, 'a server whose MongoDB goes away: no mongod')(
  'while the store is away requests get 503 and are not acknowledged; when it is back they are',
  async (t) => {
    const folder = await scratchFolder(t);
    await mkdir(join(folder, 'db'));
    const port = await freePort();
    let running = start(mongod ?? '', join(folder, 'db'), port);
    t.teardown(() => kill(running));
    const store = await openWhenThere(mongoSettings({ url: `mongodb://127.0.0.1:${port}`, database: 'penguindome' }));
    const server = await startTestServer(t, { store });
    const client = await enrolledClient(server, 'penguin-07');
    t.is((await client.submit({ 'plugins.x': 1 })).status, 200);

    await kill(running);
    await waitForEvent(server, 'store.lost');
    const refused = await client.submit({ 'plugins.x': 2 });
    t.deepEqual([refused.status, refused.json['error'], refused.verified], [503, 'unavailable', true]);
    t.truthy(refused.headers['retry-after']);
    t.is((await httpRequest(`${server.localUrl}/readyz`, {})).status, 503);
    t.is((await httpRequest(`${server.localUrl}/healthz`, {})).status, 200);

    running = start(mongod ?? '', join(folder, 'db'), port);
    await waitForEvent(server, 'store.back');
    t.is((await httpRequest(`${server.localUrl}/readyz`, {})).status, 200);
    t.is((await client.submit({ 'plugins.x': 2 })).status, 200);
    t.is((await store.hosts.find('penguin-07'))?.plugins?.['x'], 2);
  },
);

forEachStore((kind, test, prepare) => {
  test(`${kind}: while a restore is under way every endpoint answers 503`, async (t) => {
    const store = await (await prepare(t)).open();
    const server = await startTestServer(t, { store });
    const client = await enrolledClient(server, 'penguin-07');
    await store.upkeep.setMaintenance(new Date());
    await waitForEvent(server, 'store.maintenance');
    t.is((await client.submit({ 'plugins.x': 1 })).status, 503);
    t.is((await client.update()).status, 503);
    t.is((await httpRequest(`${server.localUrl}/readyz`, {})).status, 503);
    await store.upkeep.setMaintenance(undefined);
    await waitForEvent(server, 'store.back');
    t.is((await client.submit({ 'plugins.x': 1 })).status, 200);
  });
});

test('a request whose body is still on its way when a restore begins is answered 503 too', async (t) => {
  const server = await startTestServer(t);
  for (const path of ['/penguindome/v2/submit', '/penguindome/v2/enroll']) {
    await server.store.upkeep.setMaintenance(undefined);
    while ((await httpRequest(`${server.localUrl}/readyz`, {})).status !== 200) await sleep(50);
    const slow = request(`${server.url}${path}`, {
      method: 'POST',
      headers: { 'content-length': '2', expect: '100-continue' },
    });
    const answered = once(slow, 'response');
    await once(slow, 'continue');
    await server.store.upkeep.setMaintenance(new Date());
    while ((await httpRequest(`${server.localUrl}/readyz`, {})).status === 200) await sleep(50);
    slow.end('{}');
    const [{ statusCode }] = await answered;
    t.is(statusCode, 503, path);
  }
});

function start(path: string, dbpath: string, port: number): ChildProcess {
  return spawn(
    path,
    ['--dbpath', dbpath, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet'],
    {
      stdio: 'ignore',
    },
  );
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function openWhenThere(settings: Parameters<typeof openStore>[0]): ReturnType<typeof openStore> {
  for (;;) {
    try {
      return await openStore(settings, { clock: realClock, random: realRandom });
    } catch {
      await sleep(100);
    }
  }
}
