import { spokenForBy } from '../../../src/store/mongo/reports.ts';
import { aReport, enrolledHost } from '../../support/documents.ts';
import { forEachStore, withDatabase } from '../../support/stores.ts';

const record = (hostname: string, key: string) => ({
  hostname,
  audited_at: new Date(1),
  key,
  type: 'add' as const,
  new: 1,
});

forEachStore((kind, test, prepare) => {
  if (kind.startsWith('embedded')) return;

  test(`${kind}: the trail of a report that was cut off before it was stored is seen by nobody, and goes with the next`, async (t) => {
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
    for await (const { collection } of store.upkeep.export()) t.not(collection, 'audit_trail');
    const report = aReport(host);
    t.true(await store.hosts.storeReport(report));
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), report.trail);
    t.is(await trail((db) => db.collection('audit_trail').countDocuments({ pending: { $exists: true } })), 0);
  });

  test(`${kind}: the trail of a report whose writer was killed after storing it is seen, once, before and after the next`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store);
    const first = aReport(host);
    await store.hosts.storeReport(first);
    // as the kill leaves it: committed by the host's mark, and not confirmed
    await withDatabase(place.mongo ?? t.fail(), async (db) => {
      const client = await db.collection('clients').findOne({ hostname: host.hostname });
      const pending = { mark: client?.['trail_mark'], expected: null };
      t.is(typeof pending.mark, 'string');
      t.is((await db.collection('audit_trail').updateMany({}, { $set: { pending } })).modifiedCount, 1);
    });
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), first.trail);
    const exported = [];
    for await (const { collection, document } of store.upkeep.export()) {
      if (collection === 'audit_trail') exported.push(document);
    }
    t.deepEqual(exported, [{ ...first.trail[0], new: { distname: 'Debian', version: '12' } }]);

    const second = aReport(host, {
      sequence: first.sequence + 1,
      expected_chain: first.answer.chain,
      trail: [{ ...record(host.hostname, 'second'), audited_at: new Date(Date.UTC(2026, 11, 1)) }],
    });
    t.true(await store.hosts.storeReport(second));
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9 }), [...second.trail, ...first.trail]);
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
