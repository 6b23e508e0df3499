import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { MongoClient } from 'mongodb';
import type { Store } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { anOrder, aTarget, listed, statesOf, targetsOf } from '../support/orders.ts';
import { runOrderWorker } from '../support/programs.ts';
import { rounds } from '../support/soak.ts';
import { forEachStore, isEmbedded } from '../support/stores.ts';

const ROUNDS = rounds(15, 300);
const HOSTS = 700;
const FOREVER = new Date('2100-01-01');

forEachStore((kind, test, prepare) => {
  test(`${kind}: of two processes that race for an order, one has its way, and both learn which`, async (t) => {
    const place = await prepare(t);
    const { orders } = await place.open();
    const [a, b] = await Promise.all([
      runOrderWorker(t, place.forProgram, 'race'),
      runOrderWorker(t, place.forProgram, 'race'),
    ]);
    const host = aTarget({ hostname: 'raced' });
    for (let round = 0; round < ROUNDS; round++) {
      const [order, cancelled] = [anOrder({ expires_at: FOREVER }), anOrder({ expires_at: FOREVER })];
      for (const each of [order, cancelled]) await orders.insert(each, [host]);
      const common = { host_id: host.host_id, order: order.id, cancelled: cancelled.id };
      const more = { release: round + 1, number: 1, from: round };
      a.tell({ name: 'a', ...common, ...more });
      b.tell({ name: 'b', ...common, ...more });
      const [first, second] = (await Promise.all([a.next(), b.next()])).map((line) => Object(line));
      const fetched = first.given.length === 1;
      t.is(second.given.ended, fetched ? 0 : 1, 'who was told that it is cancelled was not given it');
      t.deepEqual(await statesOf(orders, cancelled.id), { raced: fetched ? 'fetched' : 'cancelled' });
      const said = [first, second];
      t.deepEqual(said.map(({ inserted }) => inserted).sort(), [false, true], 'a release has its number alone');
      t.deepEqual(said.map(({ reported }) => reported).sort(), ['before', 'kept']);
      t.deepEqual(said.map(({ moved }) => moved).sort(), [false, true]);
      t.deepEqual(said.map(({ told }) => told).sort(), [false, true]);
      const [kept] = await targetsOf(orders, { order: order.id });
      t.is(kept?.report?.reason, first.reported === 'kept' ? 'a' : 'b');
      t.is(kept?.state, first.reported === 'kept' ? 'done' : 'failed');
      t.deepEqual(
        said.map(({ signed }) => signed),
        [true, true],
      );
      t.deepEqual((await orders.find(order.id))?.signatures.slice(1).sort(), ['by a', 'by b']);
    }
    t.is((await listed(orders, { kinds: ['release'] })).length, ROUNDS);
    t.is((await targetsOf(orders, { states: ['queued'] })).length, ROUNDS, 'of the releases that were put in');
    t.is((await orders.receipts(host.host_id))?.number, ROUNDS);
  });

  test(`${kind}: of a process that is killed while it puts in orders, each order is there whole, or not at all`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const about = new Set<string>();
    const done = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const worker = await runOrderWorker(t, place.forProgram, 'insert', String(HOSTS));
      const hear = (line: unknown) => {
        const said = Object(line);
        if (said.about !== undefined) about.add(said.about);
        if (said.done !== undefined) done.add(said.done);
        return said;
      };
      while (hear(await worker.next()).done === undefined);
      hear(await worker.next());
      await new Promise((resolve) => setTimeout(resolve, 4 * round));
      const closed = once(worker.child, 'close');
      worker.child.kill('SIGKILL');
      await closed;
      await new Promise(setImmediate);
      worker.rest().forEach(hear);
    }
    for (const id of about) {
      const targets = await targetsOf(store.orders, { order: id });
      if ((await store.orders.find(id)) !== undefined) t.is(targets.length, HOSTS);
      else {
        t.false(done.has(id));
        t.deepEqual(targets, []);
      }
    }
    const there = (await listed(store.orders)).map(({ id }) => id);
    t.true(
      [...done].every((id) => there.includes(id)),
      'what was acknowledged is there',
    );
    t.is((await store.orders.queuedHosts(new Date())).length, there.length * HOSTS);
  });

  // On the embedded store all of it is one transaction: there is nothing between.
  if (isEmbedded(kind)) return;
  test(`${kind}: an order whose putting in was cut short is put in by whoever tries again`, async (t) => {
    const place = await prepare(t);
    if (place.mongo === undefined) throw new Error('expected a MongoDB');
    let now = new Date('2026-11-23T12:00:00Z');
    const { orders } = await place.open({ clock: { now: () => now } });
    const [host, other] = [aTarget({ hostname: 'a' }), aTarget({ hostname: 'b' })];
    const [before, after, abandoned] = [anOrder(), anOrder(), anOrder()];
    const client = await MongoClient.connect(place.mongo.url);
    t.teardown(() => client.close());
    const db = client.db(place.mongo.database);
    const cutShort = async ({ id, expires_at, made_at }: typeof before) =>
      db
        .collection('order_targets')
        .insertOne({ order: id, ...host, state: 'queued', at: made_at, expires_at, unready_since: now });
    await cutShort(before);
    await cutShort(abandoned);
    const whatIsSeen = async () => ({
      targets: await targetsOf(orders, { host_id: host.host_id }),
      pending: (await orders.pendingFor({ host_id: host.host_id, release: 0 }, now)).map(({ id }) => id),
      queued: await orders.queuedHosts(now),
    });
    t.deepEqual(await whatIsSeen(), { targets: [], pending: [], queued: [] });
    t.true(await orders.insert(before, [host, other]));
    t.deepEqual(await statesOf(orders, before.id), { a: 'queued', b: 'queued' });
    await orders.cancel(before.id, now);

    await orders.insert(after, [host]);
    await db.collection('order_targets').updateMany({ order: after.id }, { $set: { unready_since: now } });
    t.like(await whatIsSeen(), { pending: [after.id], queued: [host] }, 'the order is there: only its mark stayed');
    now = new Date(now.getTime() + 3_600_001);
    await orders.expireOrders(now);
    t.is(await db.collection('order_targets').countDocuments({ unready_since: { $exists: true } }), 0);
    t.is(await db.collection('order_targets').countDocuments({ order: abandoned.id }), 0);
    t.deepEqual(await statesOf(orders, after.id), { a: 'queued' });
  });

  test(`${kind}: a machine that takes a place is given nothing before the orders are handed over`, async (t) => {
    const place = await prepare(t);
    if (place.mongo === undefined) throw new Error('expected a MongoDB');
    await handOver(t, await place.open(), place.mongo);
  });
});

async function handOver(t: ExecutionContext, store: Store, mongo: { url: string; database: string }): Promise<void> {
  const host = await enrolledHost(store, { hostname: 'a' });
  const { host_id } = host.identity;
  const wipe = anOrder({ kind: 'wipe', expires_at: FOREVER });
  await store.orders.insert(wipe, [{ host_id, hostname: 'a' }]);
  const client = await MongoClient.connect(mongo.url);
  t.teardown(() => client.close());
  const mark = { hands_over_at: new Date() };
  await client.db(mongo.database).collection('clients').updateOne({ hostname: 'a' }, { $set: mark });
  const spent = await store.hosts.spend({ key_id: host.key_id, sequence: host.identity.sequence + 1 }, new Date());
  t.is(spent.outcome, 'spent');
  t.deepEqual(await statesOf(store.orders, wipe.id), { a: 'cancelled' });
  t.is(
    await client
      .db(mongo.database)
      .collection('clients')
      .countDocuments({ hands_over_at: { $exists: true } }),
    0,
  );
}
