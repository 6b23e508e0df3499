import type { TrailRecord } from '../../../src/core/trail.ts';
import { spokenForBy } from '../../../src/store/mongo/reports.ts';
import type { Store } from '../../../src/store/port.ts';
import { aReport, enrolledHost } from '../../support/documents.ts';
import { forEachStore, withDatabase } from '../../support/stores.ts';

const record = (hostname: string, key: string) => ({
  hostname,
  audited_at: new Date(1),
  key,
  type: 'add' as const,
  new: 1,
});

const longRecord = (hostname: string) => ({ ...record(hostname, 'long'), new: 'x'.repeat(100_000) });

async function trailExported(store: Store): Promise<number> {
  let count = 0;
  for await (const { collection } of store.upkeep.export()) if (collection === 'audit_trail') count++;
  return count;
}

forEachStore((kind, test, prepare) => {
  if (kind.startsWith('embedded')) return;

  test(`${kind}: a trail lies with its host, then moves; it is seen once, as it was, before and after`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const mongo = (work: Parameters<typeof withDatabase>[1]) => withDatabase(place.mongo ?? t.fail(), work);
    const host = await enrolledHost(store);
    let last = aReport(host, { trail: [] });
    await store.hosts.storeReport(last);
    const told: TrailRecord[] = [];
    for (let n = 0; n < 40; n++) {
      const trail = ['a', 'b.\u241b24c'].map((key) => ({ ...record(host.hostname, key), new: { n, $x: 1 } }));
      for (const [index, each] of trail.entries()) each.audited_at = new Date(10 * n + index);
      last = aReport(host, { sequence: last.sequence + 1, expected_chain: last.answer.chain, trail });
      t.true(await store.hosts.storeReport(last));
      told.unshift(...trail.toReversed());
      await store.hosts.findByKey(host.key_id);
      t.deepEqual(await store.trail.history(host.hostname, { limit: 100 }), told);
      t.deepEqual(
        await store.trail.history(host.hostname, { limit: 3, before: new Date(10 * n) }),
        told.filter(({ audited_at }) => audited_at.getTime() < 10 * n).slice(0, 3),
      );
    }
    await mongo(async (db) => {
      const client = await db.collection('clients').findOne({ hostname: host.hostname });
      const waiting: unknown[] = client?.['trail_waiting'];
      const moved = await db.collection('audit_trail').countDocuments({ hostname: host.hostname });
      t.true(waiting.length < 40 && moved >= 40, `${waiting.length} wait, ${moved} were moved`);
    });
    t.false('trail_waiting' in ((await store.hosts.find(host.hostname)) ?? t.fail()));
    t.is(await trailExported(store), 80);
  });

  test(`${kind}: a trail that is in both places, as a crash leaves it between insertion and removal, is seen once, and moved once`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const trail = Array.from({ length: 20 }, (_, n) => ({
      ...record(host.hostname, `key-${n}`),
      audited_at: new Date(1000 - n),
    }));
    await store.hosts.storeReport(aReport(host, { trail }));
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      const client = await db.collection('clients').findOne({ hostname: host.hostname });
      const waiting: object[] = client?.['trail_waiting'];
      await db
        .collection('audit_trail')
        .insertMany(waiting.slice(5).map((each) => ({ ...each, hostname: host.hostname })));
    });
    t.deepEqual(await store.trail.history(host.hostname, { limit: 99 }), trail);
    t.deepEqual(await store.trail.history(host.hostname, { limit: 7 }), trail.slice(0, 7));
    t.is(await trailExported(store), 20);
    await store.hosts.findByKey(host.key_id);
    await store.close();
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      t.is(await db.collection('audit_trail').countDocuments({}), 20);
      const client = await db.collection('clients').findOne({ hostname: host.hostname });
      t.deepEqual(client?.['trail_waiting'], []);
    });
    t.deepEqual(await (await place.open()).trail.history(host.hostname, { limit: 99 }), trail);
  });

  test(`${kind}: what waits stays with a host that is renamed or forgotten, and goes nowhere twice`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const id = host.identity.host_id;
    t.is(await store.hosts.rename({ id, from: host.hostname, to: `${host.hostname}-b` }, new Date(5)), 'renamed');
    const [first] = report.trail;
    const renamed = { ...(first ?? t.fail()), hostname: `${host.hostname}-b` };
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), []);
    t.deepEqual(await store.trail.history(renamed.hostname, { limit: 9 }), [renamed]);
    const next = { ...record(renamed.hostname, 'second'), audited_at: new Date(Date.UTC(2027, 1, 1)) };
    await store.hosts.storeReport(
      aReport(host, {
        hostname: renamed.hostname,
        sequence: report.sequence + 1,
        expected_chain: report.answer.chain,
        trail: [next],
      }),
    );
    t.true(await store.hosts.forget(renamed.hostname, new Date(6)));
    t.deepEqual(await store.trail.history(renamed.hostname, { limit: 9 }), [next, renamed]);
    t.is(await trailExported(store), 2);
  });

  test(`${kind}: a trail that makes a large document too large is stored, the one before it moved`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    let last = aReport(host, { plugins: { large: 'x'.repeat(15 * 1024 * 1024) }, trail: [] });
    t.true(await store.hosts.storeReport(last));
    const told: TrailRecord[] = [];
    for (let n = 0; n < 30; n++) {
      const trail = [{ ...record(host.hostname, 'long'), audited_at: new Date(n), new: 'y'.repeat(60_000) }];
      last = aReport(host, { ...last, sequence: last.sequence + 1, expected_chain: last.answer.chain, trail });
      last.answer = { ...last.answer, chain: `chain-${n}` };
      t.true(await store.hosts.storeReport(last));
      told.unshift(...trail);
    }
    t.deepEqual(await store.trail.history(host.hostname, { limit: 99 }), told);
  });

  test(`${kind}: a long trail that was cut off before its report was stored is seen by nobody, and goes with the next long one`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const trail = (work: Parameters<typeof withDatabase>[1]) => withDatabase(place.mongo ?? t.fail(), work);
    await trail((db) =>
      db
        .collection('audit_trail')
        .insertOne({ ...record(host.hostname, 'cut.off'), pending: { mark: 'lost', expected: null } }),
    );
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), []);
    t.is(await trailExported(store), 0);
    const report = aReport(host, { trail: [longRecord(host.hostname)] });
    t.true(await store.hosts.storeReport(report));
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), report.trail);
    t.is(await trail((db) => db.collection('audit_trail').countDocuments({})), 1);
  });

  test(`${kind}: a long trail whose writer was killed after storing the report is seen, once, before and after the next`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const first = aReport(host, { trail: [longRecord(host.hostname)] });
    await store.hosts.storeReport(first);
    // as the kill leaves it: committed by the host's mark, and not confirmed
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      const client = await db.collection('clients').findOne({ hostname: host.hostname });
      const pending = { mark: client?.['trail_mark'], expected: null };
      t.is(typeof pending.mark, 'string');
      t.is((await db.collection('audit_trail').updateMany({}, { $set: { pending } })).modifiedCount, 1);
    });
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), first.trail);
    t.is(await trailExported(store), 1);

    let last = first;
    const told = [...first.trail];
    for (const trail of [
      [{ ...record(host.hostname, 'short'), audited_at: new Date(Date.UTC(2026, 11, 1)) }],
      [{ ...longRecord(host.hostname), audited_at: new Date(Date.UTC(2026, 11, 2)) }],
    ]) {
      last = aReport(host, { sequence: last.sequence + 1, expected_chain: last.answer.chain, trail });
      t.true(await store.hosts.storeReport(last));
      told.unshift(...trail);
      t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), told);
    }
  });

  test(`${kind}: the pending part of the trail is found by its index`, async (t) => {
    const place = await prepare(t);
    await place.open();
    const plan = await withDatabase(place.mongo ?? t.fail(), (db) =>
      db.collection('audit_trail').find({ hostname: 'a', 'pending.mark': 'b' }).explain('queryPlanner'),
    );
    t.regex(JSON.stringify(plan), /hostname_1_pending\.mark_1/);
  });

  test(`${kind}: a quiet check-in and a look-up by key use the index over keys`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const explain = (filter: object) =>
      withDatabase(place.mongo ?? t.fail(), (db) => db.collection('clients').find(filter).explain('queryPlanner'));
    for (const filter of [
      { 'identity.keys.id': host.key_id },
      { ...spokenForBy(host.key_id, new Date()), 'identity.sequence': { $lt: 9 } },
    ]) {
      t.regex(JSON.stringify((await explain(filter))['queryPlanner'].winningPlan), /identity\.keys\.id_1/);
    }
  });
});
