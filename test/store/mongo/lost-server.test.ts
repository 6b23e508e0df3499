import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import { aReport, enrolledHost } from '../../support/documents.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock, realRandom } from '../../support/world.ts';

const mongod = process.env['PENGUINDOME_TEST_MONGOD'];
const test = whenPresent(mongod !== undefined, 'the store when its mongod is gone: no mongod');

test('a mongod that is killed is a store that is unavailable, and works again when it is back', async (t) => {
  const server = await ownMongod(t);
  const options = { clock: realClock, random: realRandom };
  const store = await openStore(server.settings, options);
  t.teardown(() => store.close());
  const host = await enrolledHost(store);
  const report = aReport(host);
  t.true(await store.hosts.storeReport(report));

  await server.kill();
  await t.throwsAsync(store.state(), { instanceOf: StoreUnavailable });
  await t.throwsAsync(store.hosts.find(host.hostname), { instanceOf: StoreUnavailable });
  await t.throwsAsync(store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 }), {
    instanceOf: StoreUnavailable,
  });
  await t.throwsAsync(
    async () => {
      for await (const _ of store.hosts.list()) t.fail();
    },
    { instanceOf: StoreUnavailable },
  );
  await t.throwsAsync(openStore(server.settings, options), { instanceOf: StoreUnavailable });

  await server.start();
  let state: unknown;
  while (state === undefined) state = await store.state().catch(() => undefined);
  const found = await store.hosts.find(host.hostname);
  t.deepEqual(found?.identity?.last, report.answer, 'what was acknowledged is there');
  t.is((await store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 })).outcome, 'spent');
});

test('a mongod that hangs is a store that is unavailable', async (t) => {
  const server = await ownMongod(t);
  const store = await openStore(server.settings, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  const { epoch } = await store.state();
  server.signal('SIGSTOP');
  await t.throwsAsync(store.state(), { instanceOf: StoreUnavailable });
  server.signal('SIGCONT');
  let state: { epoch: string } | undefined;
  while (state === undefined) state = await store.state().catch(() => undefined);
  t.is(state.epoch, epoch);
});

async function ownMongod(t: ExecutionContext) {
  const dbpath = join(await scratchFolder(t), 'db');
  await mkdir(dbpath);
  const port = await freePort();
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn(
      mongod ?? t.fail(),
      ['--dbpath', dbpath, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket', '--quiet'],
      { stdio: 'ignore' },
    );
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  t.teardown(kill);
  await start();
  const settings = { kind: 'mongo' as const, hosts: [`127.0.0.1:${port}`], database: 'penguindome', tls: false };
  // openStore gives up after a few seconds; a mongod that starts on a busy machine may take longer
  for (;;) {
    const store = await openStore(settings, { clock: realClock, random: realRandom }).catch(() => undefined);
    await store?.close();
    if (store !== undefined) break;
  }
  return { settings, start, kill, signal: (signal: NodeJS.Signals) => child?.kill(signal) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
