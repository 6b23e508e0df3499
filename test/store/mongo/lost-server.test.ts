import { MongoClient } from 'mongodb';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { reachBy } from '../../../src/store/mongo/errors.ts';
import { ALWAYS } from '../../../src/store/mongo/primary.ts';
import { openStore } from '../../../src/store/open.ts';
import { aReport, enrolledHost } from '../../support/documents.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';
import { realClock, realRandom } from '../../support/world.ts';

const reach = reachBy(ALWAYS);

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
  await t.throwsAsync(store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 }, new Date()), {
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
  t.is((await store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 }, new Date())).outcome, 'spent');
});

test('a mongod that hangs is a store that is unavailable', async (t) => {
  const server = await ownMongod(t);
  const store = await openStore(server.settings, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  const { epoch } = await store.state();
  await server.freeze();
  await t.throwsAsync(store.state(), { instanceOf: StoreUnavailable });
  server.signal('SIGCONT');
  let state: { epoch: string } | undefined;
  while (state === undefined) state = await store.state().catch(() => undefined);
  t.is(state.epoch, epoch);
});

test('many documents inserted at once into a mongod that is gone are a store that is unavailable, too', async (t) => {
  const server = await ownMongod(t);
  const client = new MongoClient(`mongodb://${server.settings.hosts[0]}/?directConnection=true`, {
    serverSelectionTimeoutMS: 300,
  });
  t.teardown(() => client.close());
  const trail = client.db('penguindome').collection('trail');
  await trail.insertMany([{ n: 1 }, { n: 2 }]);
  await server.freeze();
  const cut = t.throwsAsync(
    reach(() => trail.insertMany([{ n: 3 }])),
    { instanceOf: StoreUnavailable },
  );
  await server.kill();
  await cut;
  await t.throwsAsync(
    reach(() => trail.insertMany([{ n: 5 }])),
    { instanceOf: StoreUnavailable },
  );
});
