import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { AdminContext } from '../../src/admin/context.ts';
import { copyStore } from '../../src/admin/copy-store.ts';
import { isServerRunning } from '../../src/admin/is-server-running.ts';
import { readStorePlace } from '../../src/admin/read-store-place.ts';
import { storeCopy } from '../../src/admin/store-copy.ts';
import { OperatorError } from '../../src/core/errors.ts';
import type { StoreSettings } from '../../src/settings/server-settings.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { anEnrollment, aReport, aToken, enrolledHost } from '../support/documents.ts';
import { freePort } from '../support/free-port.ts';
import { operatedSite, withStore } from '../support/operated-site.ts';
import { scratchFolder } from '../support/scratch.ts';
import { forEachStore, type Place, temporaryStore } from '../support/stores.ts';
import { realClock, realRandom } from '../support/world.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

/** Tests of others may listen where no server of ours does. */
const copyWhileStopped = (context: AdminContext) => storeCopy(context, async () => false);

/** Of the store, in whatever order. */
async function everything({ upkeep }: Store): Promise<StoredDocument[]> {
  const found: StoredDocument[] = [];
  for await (const document of upkeep.export()) found.push(document);
  return found.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function fill(store: Store): Promise<void> {
  for (const hostname of ['lap-1', 'lap-2']) {
    const host = await enrolledHost(store, { hostname });
    await store.hosts.storeReport(aReport(host, { plugins: { $odd: { 'a.b': [NOW, null, 0.5] }, ümlaut: true } }));
    await store.issues.open(hostname, 'disk', NOW);
  }
  await store.issues.close('lap-2', 'disk', NOW);
  await store.hosts.storeV1({
    hostname: 'old',
    at: NOW,
    plugins: { n: 1 },
    trail: [{ hostname: 'old', audited_at: NOW, key: 'plugins.n', type: 'add', new: 1 }],
  });
  await store.enrollments.insert(anEnrollment({ hostname: 'waits' }));
  await store.tokens.insert(aToken());
  await store.parameters.set('lap-1', 'user_email', ['ada@example.org'], NOW);
  await store.signatures.remember('0'.repeat(64), new Date(Date.now() + 3_600_000));
}

/** As an operator names it. */
function nameOf(place: StoreSettings): string {
  if (place.kind === 'embedded') return `embedded:${place.file}`;
  const set = place.replica_set === undefined ? '' : `?replicaSet=${place.replica_set}`;
  return `mongodb://${place.hosts.join(',')}/${place.database}${set}`;
}

const elsewhere = async (t: ExecutionContext) => `embedded:${join(await scratchFolder(t), 'store/other.db')}`;

/** A source whose documents come to no end: it says how many were asked for. */
function endless(store: Store, onDocument: (count: number) => void): Store {
  const { upkeep } = store;
  return {
    ...store,
    state: () => store.state(),
    upkeep: {
      ...upkeep,
      async *export() {
        for (let n = 1; ; n++) {
          onDocument(n);
          yield { collection: 'others', document: { n, padding: 'x'.repeat(1000) } };
        }
      },
    },
  };
}

const unusable = (store: Store) => store.state().then(({ maintenance_since }) => maintenance_since !== undefined);

forEachStore((kind, onStore, prepare) => {
  if (kind === 'embedded, shared writer') return;

  onStore(
    `${kind}: to the embedded store and back, all is equal, in a new epoch, and the source stays as it is`,
    async (t) => {
      const place: Place = await prepare(t);
      const site = await adminSite(t);
      await fill(site.store);
      const [before, { epoch }] = [await everything(site.store), await site.store.state()];
      const source = `embedded:${join(site.folder, 'none')}`;
      t.regex(
        await refusal(t, site.run(copyWhileStopped, '--from', source, '--to', nameOf(place.settings))),
        /no file/,
      );
      const there = Object(await site.json(copyWhileStopped, '--from', 'settings', '--to', nameOf(place.settings)));
      t.is(there.documents, before.length);
      t.is(there.collections.clients, 3);
      const copy = await place.open();
      t.deepEqual(await everything(copy), before);
      const state = await copy.state();
      t.is(state.epoch, there.epoch);
      t.not(state.epoch, epoch);
      t.is(state.maintenance_since, undefined);

      const back = await elsewhere(t);
      const { out } = await site.run(copyWhileStopped, '--from', nameOf(place.settings), '--to', back);
      t.regex(out, /^embedded:\S+other\.db holds what \S+ does: \d+ documents, compared\n$/);
      t.deepEqual(await everything(await reopened(t, back)), before);
      t.deepEqual([await everything(site.store), await site.store.state()], [before, { epoch }]);
    },
  );

  onStore(`${kind}: what is there already is not touched`, async (t) => {
    const place = await prepare(t);
    const site = await adminSite(t);
    await fill(site.store);
    const target = await place.open();
    await target.tokens.insert(aToken());
    const before = await everything(target);
    const said = await refusal(t, site.run(copyWhileStopped, '--from', 'settings', '--to', nameOf(place.settings)));
    t.regex(said, /^cannot copy into the target: it holds something already; name an empty one/);
    t.deepEqual(await everything(target), before);
    t.false(await unusable(target));
  });

  onStore(
    `${kind}: a copy that is interrupted leaves nothing that a server would use, and the next one says so`,
    async (t) => {
      const target = await (await prepare(t)).open();
      const stop = new AbortController();
      const from = endless(await temporaryStore(t), (count) => count < 2000 || stop.abort());
      const world = { clock: realClock, random: realRandom, signal: stop.signal, progress: () => undefined };
      const error = await t.throwsAsync(copyStore({ from, to: target, ...world }), { instanceOf: OperatorError });
      t.regex(error?.message ?? '', /^cannot finish the copy: it was interrupted; the source is as it was/);
      t.true(await unusable(target));
      const left = (await everything(target)).length;
      t.true(kind === 'embedded' ? left === 0 : left > 0 && left < 2000, `${left}`);
      const source = await temporaryStore(t);
      await fill(source);
      const again = copyStore({ from: source, to: target, ...world, signal: new AbortController().signal });
      if (kind === 'embedded') {
        await again;
        t.deepEqual([await everything(target), await unusable(target)], [await everything(source), false]);
      } else {
        await t.throwsAsync(again, { message: /holds what a copy or a restore left that was cut off/ });
        t.true(await unusable(target));
      }
    },
  );

  onStore(
    `${kind}: killed in the middle, no server takes reports for what there is, and the source is whole`,
    async (t) => {
      const place = await prepare(t);
      const target = await place.open();
      const site = await operatedSite(t);
      await site.succeed('settings', 'set', 'local_port', `${await freePort()}`);
      await withStore(site.dir, async (store) => store.upkeep.import(many(30_000), realRandom.uuid()));
      const args = ['--config', site.config, 'store', 'copy', '--from', 'settings', '--to', nameOf(place.settings)];
      const running = spawn(process.execPath, ['build/penguindome', ...args], { stdio: 'ignore' });
      t.teardown(() => void running.kill('SIGKILL'));
      await isAtIt(running, target);
      const ended = once(running, 'exit');
      running.kill('SIGKILL');
      t.deepEqual(await ended, [null, 'SIGKILL'], 'it was at it');
      t.true(await unusable(target));
      t.true((await everything(target)).length < 30_000);
      await withStore(site.dir, async (store) => {
        t.is((await everything(store)).length, 30_000);
        t.false(await unusable(store));
      });
    },
  );
});

async function* many(count: number): AsyncGenerator<StoredDocument> {
  for (let n = 0; n < count; n++) yield { collection: 'others', document: { n, padding: 'x'.repeat(500) } };
}

/** The mark comes before the first document. */
async function isAtIt(running: ChildProcess, target: Store): Promise<void> {
  while (!(await unusable(target))) {
    if (running.exitCode !== null) throw new Error(`it ended with ${running.exitCode}`);
    await sleep(5);
  }
}

async function reopened(t: ExecutionContext, name: string): Promise<Store> {
  const { openStore } = await import('../../src/store/open.ts');
  const settings: StoreSettings = { kind: 'embedded', file: name.replace('embedded:', '') };
  const store = await openStore(settings, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  return store;
}

test('a store that a restore left half is not copied, nor one that holds nothing', async (t) => {
  const site = await adminSite(t);
  const to = await elsewhere(t);
  t.regex(await refusal(t, site.run(copyWhileStopped, '--from', 'settings', '--to', to)), /it holds nothing/);
  await fill(site.store);
  await site.store.upkeep.setMaintenance(NOW);
  t.regex(
    await refusal(t, site.run(copyWhileStopped, '--from', 'settings', '--to', to)),
    /under maintenance since 2026-/,
  );
});

test('what differs when it is read back is no copy', async (t) => {
  const [from, to] = [await temporaryStore(t), await temporaryStore(t)];
  await fill(from);
  const lossy: Store = {
    ...to,
    state: () => to.state(),
    upkeep: {
      ...to.upkeep,
      async import(documents, epoch) {
        const kept = async function* () {
          for await (const each of documents) if (each.collection !== 'tokens') yield each;
        };
        await to.upkeep.import(kept(), epoch);
      },
      export: () => to.upkeep.export(),
      setMaintenance: (since) => to.upkeep.setMaintenance(since),
    },
  };
  const world = { clock: realClock, random: realRandom, signal: new AbortController().signal };
  await t.throwsAsync(copyStore({ from, to: lossy, ...world, progress: () => undefined }), {
    message: /what was read back is not what was written/,
  });
  t.true(await unusable(to));
});

test('while the server runs nothing is copied', async (t) => {
  const site = await adminSite(t);
  await fill(site.store);
  const to = await elsewhere(t);
  const said = await refusal(
    t,
    site.run((context) => storeCopy(context, async () => true), '--from', 'settings', '--to', to),
  );
  t.regex(said, /^cannot copy the store while the server runs: .*systemctl stop penguindome-server$/);
});

test('a server runs where something listens', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { signal } = new AbortController();
  const other = { port: await freePort(), tls: false as const, deprecated: false };
  t.true(await isServerRunning({ local_port: port, ports: [other] }, signal));
  t.true(await isServerRunning({ local_port: 0, ports: [other, { ...other, port }] }, signal));
  server.close();
  await once(server, 'close');
  t.false(await isServerRunning({ local_port: port, ports: [other] }, signal));
});

const OWN: StoreSettings = { kind: 'embedded', file: '/own.db' };
for (const [text, place] of [
  ['settings', OWN],
  ['embedded:/srv/x.db', { kind: 'embedded', file: '/srv/x.db' }],
  ['mongodb://db1:27017', { kind: 'mongo', hosts: ['db1:27017'], database: 'penguindome', tls: false }],
  [
    'mongodb://dome@db1:1,db2:2/hosts?replicaSet=rs0&tls=true&ca=/ca.crt&passwordFile=/pw',
    {
      ...{ kind: 'mongo', hosts: ['db1:1', 'db2:2'], database: 'hosts', user: 'dome', replica_set: 'rs0' },
      ...{ tls: true, ca: '/ca.crt', password_file: '/pw' },
    },
  ],
] as [string, StoreSettings][]) {
  test(`a store's name: ${text}`, (t) => t.deepEqual(readStorePlace(text, OWN), place));
}

for (const text of ['', 'embedded:', '/srv/x.db', 'mongodb://', 'mongodb://u:secret@db/x', 'mongodb://db/x?retry=1']) {
  test(`no store's name: ${JSON.stringify(text)}`, (t) => {
    const error = t.throws(() => readStorePlace(text, OWN), { instanceOf: OperatorError });
    t.regex(error?.message ?? '', /^cannot tell which store is meant: /);
    t.false(error?.message.includes('secret'));
  });
}
