import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import { StoreUnavailable } from '../../../src/core/errors.ts';
import { openStore } from '../../../src/store/open.ts';
import { aReport, enrolledHost } from '../../support/documents.ts';
import { whenPresent } from '../../support/needs.ts';
import { mongod, ownMongod } from '../../support/own-mongod.ts';
import { realClock, realRandom } from '../../support/world.ts';

const test = whenPresent(mongod !== undefined, 'the store where its primary changes: no mongod');

const SET = 'rs0';

/** A set of three whose first member is primary, and soon another where that one is gone. */
async function ownSet(t: ExecutionContext) {
  const args = ['--replSet', SET, '--setParameter', 'enableTestCommands=1'];
  const members = await Promise.all([0, 1, 2].map(() => ownMongod(t, ...args)));
  const hosts = members.flatMap(({ settings }) => settings.hosts);
  const clients = hosts.map((host) => new MongoClient(`mongodb://${host}/?directConnection=true`));
  t.teardown(async () => {
    for (const client of clients) await client.close();
  });
  const ask = async (member: number, command: object) => clients[member]?.db('admin').command(command);
  const untilPrimary = async (member: number) => {
    while ((await ask(member, { hello: 1 }))?.['isWritablePrimary'] !== true) await setTimeout(20);
  };
  await ask(0, {
    replSetInitiate: {
      _id: SET,
      members: hosts.map((host, _id) => ({ _id, host, priority: [3, 2, 0][_id] })),
      settings: { electionTimeoutMillis: 1000, heartbeatIntervalMillis: 200 },
    },
  });
  await untilPrimary(0);
  const settings = { kind: 'mongo' as const, hosts, replica_set: SET, database: 'penguindome', tls: false };
  return { members, clients, ask, untilPrimary, settings };
}

test('what a new primary holds is read only once a majority has confirmed it', async (t) => {
  t.timeout(120_000, 'a set of three');
  const set = await ownSet(t);
  const store = await openStore(set.settings, { clock: realClock, random: realRandom });
  t.teardown(() => store.close());
  const host = await enrolledHost(store);
  const first = aReport(host);
  t.true(await store.hosts.storeReport(first));

  const everywhere = { writeConcern: { w: 3 } };
  await set.clients[0]?.db('test').collection('marks').insertOne({}, everywhere);
  // The third one votes, and takes nothing more: the second, elected, has no majority for its first entry.
  await set.ask(2, { configureFailPoint: 'stopReplProducer', mode: 'alwaysOn' });
  await set.members[0]?.kill();
  await set.untilPrimary(1);
  const committed = { readConcern: { level: 'majority' as const } };
  const clients = set.clients[1]?.db('penguindome').collection('clients');
  t.is((await clients?.findOne({}, committed))?.['hostname'], host.hostname, 'it answers, with what it knew before');

  await t.throwsAsync(store.hosts.find(host.hostname), {
    instanceOf: StoreUnavailable,
    message: /not confirmed|another member/,
  });
  await t.throwsAsync(
    async () => {
      for await (const _ of store.hosts.list()) t.fail();
    },
    { instanceOf: StoreUnavailable },
  );

  await set.ask(2, { configureFailPoint: 'stopReplProducer', mode: 'off' });
  let found: Awaited<ReturnType<typeof store.hosts.find>>;
  while (found === undefined) found = await store.hosts.find(host.hostname).catch(() => undefined);
  t.deepEqual(found.identity?.last, first.answer, 'what was acknowledged is there');
  t.is((await store.hosts.spend({ key_id: host.key_id, sequence: first.sequence + 1 }, new Date())).outcome, 'spent');
});
