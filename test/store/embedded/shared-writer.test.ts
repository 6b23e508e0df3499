import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { OperatorError, StoreUnavailable } from '../../../src/core/errors.ts';
import { openEngine } from '../../../src/store/embedded/engine.ts';
import { toFrame } from '../../../src/store/embedded/frames.ts';
import { openShared } from '../../../src/store/embedded/open-shared.ts';
import { serveWrites } from '../../../src/store/embedded/serve-writes.ts';
import { openStore } from '../../../src/store/open.ts';
import { aToken } from '../../support/documents.ts';
import { type Running, runStoreWorker, runStoreWriter } from '../../support/programs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { rounds } from '../../support/soak.ts';
import { realClock, realRandom, WRITER_VERSION } from '../../support/world.ts';

const world = { version: WRITER_VERSION, clock: realClock, random: realRandom };

async function place(t: ExecutionContext): Promise<{ file: string; socket: string }> {
  const folder = await scratchFolder(t);
  return { file: join(folder, 'x.db'), socket: join(folder, 'writer') };
}

async function writerAt(t: ExecutionContext, at: { file: string; socket: string }) {
  const told: string[] = [];
  const log = { event: (name: string, fields = {}) => void told.push(`${name} ${JSON.stringify(fields)}`) };
  const writer = await serveWrites({ ...at, ...world, log });
  t.teardown(() => writer.close());
  return { writer, told };
}

async function sharedAt(t: ExecutionContext, at: { file: string; socket: string }) {
  const store = await openShared({ ...at, ...world });
  t.teardown(() => store.close());
  return store;
}

const aV1Report = (hostname: string) => ({ hostname, at: new Date(), plugins: {}, trail: [] });

async function untilUp(store: { state(): Promise<unknown> }): Promise<void> {
  for (;;) {
    try {
      await store.state();
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function kill({ child }: Running): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

test('a writer that is killed under load leaves all that it acknowledged, once; its clients go on with the next one', async (t) => {
  const { file, socket } = await place(t);
  let writer = await runStoreWriter(t, file, socket);
  const forProgram = JSON.stringify({ settings: { kind: 'embedded', file }, socket });
  const clients = await Promise.all([
    runStoreWorker(t, forProgram, 'persist', 'a'),
    runStoreWorker(t, forProgram, 'persist', 'b'),
  ]);
  const acknowledged: unknown[] = [];
  const hear = async (each: number) => {
    for (const client of clients) for (let n = 0; n < each; n++) acknowledged.push(await client.next());
  };
  for (let round = 0; round < rounds(4, 100); round++) {
    await hear(20 + 7 * (round % 5));
    await kill(writer);
    for (const client of clients) acknowledged.push(...client.rest());
    writer = await runStoreWriter(t, file, socket);
  }
  await hear(20);
  for (const { child } of clients) {
    const closed = once(child, 'close');
    child.stdin?.end();
    await closed;
  }
  for (const client of clients) acknowledged.push(...client.rest());

  const store = await openStore({ kind: 'embedded', file }, world);
  t.teardown(() => store.close());
  const stored: string[] = [];
  for await (const { hostname, plugins } of store.hosts.list()) {
    const trail = await store.trail.history(hostname, { limit: 1_000_000 });
    t.is(plugins?.['n'], trail[0]?.new, 'the host is as its trail says');
    stored.push(...trail.map((record) => JSON.stringify([hostname, record.new])));
  }
  const once_ = new Set(stored);
  t.is(once_.size, stored.length, 'nothing is stored twice');
  t.deepEqual(
    acknowledged.map((said) => JSON.stringify(said)).filter((said) => !once_.has(said)),
    [],
    'what was acknowledged is there',
  );
});

test('the socket is of its user alone', async (t) => {
  const at = await place(t);
  await writerAt(t, at);
  t.is((await stat(at.socket)).mode & 0o777, 0o600);
});

test('a socket that was left behind is replaced', async (t) => {
  const at = await place(t);
  await kill(await runStoreWriter(t, at.file, at.socket));
  t.true((await stat(at.socket)).isSocket());
  await writerAt(t, at);
  await (await sharedAt(t, at)).hosts.storeV1(aV1Report('a'));
  t.pass();
});

test('what one store was told is written, every other sees from then on', async (t) => {
  const at = await place(t);
  await writerAt(t, at);
  const [one, two] = [await sharedAt(t, at), await sharedAt(t, at)];
  for (let n = 0; n < 50; n++) {
    await one.hosts.storeV1({ ...aV1Report('a'), plugins: { n } });
    t.is((await two.hosts.find('a'))?.plugins?.['n'], n);
  }
});

test('while there is no writer the store is unavailable, also to be read by whoever asks for its state; then it is back by itself', async (t) => {
  const at = await place(t);
  const { writer } = await writerAt(t, at);
  const store = await sharedAt(t, at);
  const { epoch } = await store.state();
  await writer.close();
  await t.throwsAsync(store.state(), { instanceOf: StoreUnavailable });
  await t.throwsAsync(store.hosts.storeV1(aV1Report('a')), { instanceOf: StoreUnavailable });
  await writerAt(t, at);
  await untilUp(store);
  t.is((await store.state()).epoch, epoch);
  t.true(await store.hosts.storeV1(aV1Report('a')));
});

test('a store is not opened where no writer is', async (t) => {
  await t.throwsAsync(openShared({ ...(await place(t)), ...world }), { instanceOf: StoreUnavailable });
});

test('what was asked for and not answered when the writer went is told so', async (t) => {
  const at = await place(t);
  const writer = await runStoreWriter(t, at.file, at.socket);
  const store = await sharedAt(t, at);
  writer.child.kill('SIGSTOP');
  const asked = Array.from({ length: 5 }, (_, n) => store.hosts.storeV1(aV1Report(`host-${n}`)));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await kill(writer);
  for (const { status, ...said } of await Promise.allSettled(asked)) {
    t.is(status, 'rejected');
    t.true('reason' in said && said.reason instanceof StoreUnavailable);
  }
});

test('a writer of another version, or of another file, is not written to', async (t) => {
  const at = await place(t);
  const { told } = await writerAt(t, at);
  await t.throwsAsync(openShared({ ...at, ...world, version: '9.9.9' }), {
    instanceOf: OperatorError,
    message: /version 9\.9\.9.*this writer is of 0\.0\.0-test/,
  });
  const other = `${at.file}.other`;
  await writeFile(other, '');
  await t.throwsAsync(openShared({ ...at, ...world, file: other }), {
    instanceOf: OperatorError,
    message: /x\.db\.other: this writer has/,
  });
  t.is(told.filter((line) => line.startsWith('writer.connection-refused')).length, 2);
});

for (const [what, bytes] of [
  ['no length that we take', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['no value', Buffer.from([4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])],
  ['no hello', toFrame({ id: 1, name: 'nothing', given: [] })],
] as const) {
  test(`a connection that sends ${what} is ended, with a word in the log; others go on`, async (t) => {
    const at = await place(t);
    const { told } = await writerAt(t, at);
    const store = await sharedAt(t, at);
    const rude = createConnection(at.socket);
    rude.on('error', () => {});
    const closed = once(rude, 'close');
    rude.write(bytes);
    await closed;
    t.is(told.length, 1);
    t.true(await store.hosts.storeV1(aV1Report('a')));
  });
}

test('a welcomed connection that asks for what is no write is ended', async (t) => {
  const at = await place(t);
  const { told } = await writerAt(t, at);
  for (const wrong of [
    { id: 1, name: 'toString', given: [] },
    { id: 1, name: 'spend' },
    { id: 'x', name: 'nothing', given: [] },
    null,
  ]) {
    const rude = createConnection(at.socket);
    const closed = once(rude, 'close');
    rude.resume().write(Buffer.concat([toFrame({ version: WRITER_VERSION, file: at.file }), toFrame(wrong)]));
    await closed;
  }
  t.is(told.length, 4);
});

test('a write that fails by its own fault tells its own caller alone', async (t) => {
  const at = await place(t);
  await writerAt(t, at);
  const store = await sharedAt(t, at);
  const token = aToken();
  const said = await Promise.allSettled([
    store.hosts.storeV1(aV1Report('a')),
    store.tokens.insert(token),
    store.tokens.insert(token),
    store.hosts.storeV1(aV1Report('b')),
  ]);
  t.deepEqual(
    said.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  const [, , failed] = said;
  t.true(failed?.status === 'rejected' && !(failed.reason instanceof StoreUnavailable));
  t.is(await store.hosts.count(), 2);
  t.is((await store.tokens.list()).length, 1);
});

test("an operator's command and the writer write at the same time", async (t) => {
  const at = await place(t);
  await runStoreWriter(t, at.file, at.socket);
  const shared = await sharedAt(t, at);
  const command = await openStore({ kind: 'embedded', file: at.file }, world);
  t.teardown(() => command.close());
  await Promise.all(
    [shared, command].map(async (store, index) => {
      for (let n = 0; n < 100; n++) await store.hosts.storeV1(aV1Report(`${index}-${n}`));
    }),
  );
  t.is(await shared.hosts.count(), 200);
});

test('a writer waits while somebody else holds the file, and says that the store is unavailable where that takes too long', async (t) => {
  const at = await place(t);
  await runStoreWriter(t, at.file, at.socket);
  const store = await sharedAt(t, at);
  const holder = openEngine(at.file);
  t.teardown(() => holder.close());
  holder.exec('BEGIN IMMEDIATE');
  const patient = store.hosts.storeV1(aV1Report('a'));
  setTimeout(() => holder.rollback(), 200);
  t.true(await patient);
  holder.exec('BEGIN IMMEDIATE');
  await t.throwsAsync(store.hosts.storeV1(aV1Report('b')), { instanceOf: StoreUnavailable, message: /locked/ });
  holder.rollback();
  t.true(await store.hosts.storeV1(aV1Report('b')));
});

test('a store that closes waits for what it asked for', async (t) => {
  const at = await place(t);
  await writerAt(t, at);
  const store = await openShared({ ...at, ...world });
  const asked = Array.from({ length: 20 }, (_, n) => store.hosts.storeV1(aV1Report(`host-${n}`)));
  await store.close();
  t.deepEqual(new Set(await Promise.all(asked)), new Set([true]));
  await t.throwsAsync(store.hosts.storeV1(aV1Report('late')), { instanceOf: StoreUnavailable });
});

test('a writer that closes answers what has arrived', async (t) => {
  const at = await place(t);
  const { writer } = await writerAt(t, at);
  const store = await sharedAt(t, at);
  await store.state();
  const said = await Promise.allSettled([store.hosts.storeV1(aV1Report('a')), writer.close()]);
  const there = openEngine(at.file);
  t.teardown(() => there.close());
  const hosts = there.get('SELECT count(*) AS hosts FROM hosts')?.['hosts'];
  t.is(hosts, said[0]?.status === 'fulfilled' ? 1 : 0);
});

test('a writer that closes after all others leaves nothing in the log of SQLite', async (t) => {
  const at = await place(t);
  const { writer } = await writerAt(t, at);
  const store = await sharedAt(t, at);
  for (let n = 0; n < 20; n++) await store.hosts.storeV1(aV1Report(`host${n}`));
  const log = `${at.file}-wal`;
  const size = async () => (await stat(log).catch(() => ({ size: 0 }))).size;
  t.true((await size()) > 0);
  await store.close();
  await writer.close();
  t.is(await size(), 0);
});
