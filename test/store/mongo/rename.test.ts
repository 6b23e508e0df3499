import { aReport, enrolledHost } from '../../support/documents.ts';
import { forEachStore, withDatabase } from '../../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');

forEachStore((kind, test, prepare) => {
  if (kind.startsWith('embedded')) return;
  test(`${kind}: a renaming that was cut short is finished by whoever looks for the host next`, async (t) => {
    const place = await prepare(t);
    const store = await place.open();
    const host = await enrolledHost(store, { hostname: 'a' });
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.issues.open('a', 'disk', AT);
    // As a crash leaves it right after the first of the writes.
    await withDatabase(place.mongo ?? t.fail(), (db) =>
      db
        .collection('clients')
        .updateOne({ hostname: 'a' }, { $set: { hostname: 'n', renamed_from: { hostname: 'a', at: AT } } }),
    );
    const next = aReport(host, {
      hostname: 'n',
      sequence: report.sequence + 1,
      expected_chain: report.answer.chain,
      trail: [],
    });
    t.false(await store.hosts.storeReport(next), 'a host that is half renamed takes no report');
    t.is((await store.hosts.findByKey(host.key_id))?.hostname, 'n');
    t.true(await store.hosts.storeReport(next));
    t.is((await store.trail.history('n', { limit: 5 })).length, 1);
    t.is((await store.issues.history({ hostnames: ['n'], limit: 5 })).length, 1);
    t.deepEqual((await store.enrollments.find(host.key_id))?.former_hostnames, ['a']);
    t.false('renamed_from' in ((await store.hosts.find('n')) ?? t.fail()));
  });
});
