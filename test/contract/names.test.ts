import { identityOf } from '../../src/core/enrollment.ts';
import type { Store, StoredDocument } from '../../src/store/port.ts';
import { anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');

const reportV1 = (store: Store, hostname: string, value: number) =>
  store.hosts.storeV1({ hostname, at: AT, plugins: { a: value }, trail: [] });

/** As a program may have left it that told names apart by case. */
async function* together(...documents: StoredDocument[]): AsyncGenerator<StoredDocument> {
  yield { collection: 'clients', document: { hostname: 'lap-7', submitted_at: AT, plugins: { a: 1 } } };
  yield* documents;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: hosts of v1 keep their spelling, and stay apart where it is all that differs`, async (t) => {
    const store = await (await prepare(t)).open();
    for (const [value, name] of ['Lap-7', 'lap-7', 'LAP-7'].entries()) t.true(await reportV1(store, name, value));
    t.is(await store.hosts.count(), 3);
    t.is((await store.hosts.find('lap-7'))?.plugins?.['a'], 1);
    t.is((await store.hosts.find('LAP-7'))?.plugins?.['a'], 2);
    t.is(await store.hosts.find('lAP-7'), undefined);
    t.deepEqual(await store.hosts.namesakes('lAp-7'), [
      { hostname: 'LAP-7' },
      { hostname: 'Lap-7' },
      { hostname: 'lap-7' },
    ]);
    for (const other of ['lap7', 'lap_7', 'lap.7', 'lap-70', 'l']) t.deepEqual(await store.hosts.namesakes(other), []);
  });

  test(`${kind}: no second host of v2 gets a name that differs in case only`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store, { hostname: 'Lap-7' });
    for (const adopt of [true, false]) {
      t.false(await store.hosts.attach('lap-7', identityOf(anEnrollment(), AT), { adopt }));
      t.true(await store.hosts.attach('LAP-7', host.identity, { adopt }), 'its own identity again is no conflict');
    }
    t.is(await store.hosts.count(), 1);
    const { host_id } = host.identity;
    t.deepEqual(await store.hosts.namesakes('lap-7'), [{ hostname: 'Lap-7', host_id }]);
    const other = await enrolledHost(store, { hostname: 'other' });
    const renaming = { id: other.identity.host_id, from: 'other', to: 'LAP-7' };
    t.is(await store.hosts.rename(renaming, AT), 'taken');
    t.is(await store.hosts.rename({ id: host_id, from: 'Lap-7', to: 'desk' }, AT), 'renamed');
    t.is(await store.hosts.rename(renaming, AT), 'taken', 'a former name is refused in any case too');
  });

  test(`${kind}: of keys that ask at once for a name in several cases one gets it`, async (t) => {
    const store = await (await prepare(t)).open();
    const names = ['lap', 'Lap', 'lAp', 'laP', 'LAp', 'lAP', 'LaP', 'LAP'];
    for (const adopt of [true, false]) {
      const given = await Promise.all(
        names.map((name) => store.hosts.attach(`${name}-${adopt}`, identityOf(anEnrollment(), AT), { adopt })),
      );
      t.is(given.filter((done) => done).length, 1);
      t.is((await store.hosts.namesakes(`lap-${adopt}`)).length, 1);
    }
  });

  test(`${kind}: a host of v1 is taken over under another case, and keeps its spelling and what it reported`, async (t) => {
    const store = await (await prepare(t)).open();
    await reportV1(store, 'Lap-7', 1);
    const enrollment = anEnrollment({ hostname: 'lap-7' });
    const identity = identityOf(enrollment, AT);
    t.false(await store.hosts.attach('lap-7', identity, { adopt: false }));
    t.true(await store.hosts.attach('lap-7', identity, { adopt: true }));
    t.like(await store.hosts.find('Lap-7'), { plugins: { a: 1 }, identity: { host_id: identity.host_id } });
    t.is(await store.hosts.count(), 1);
    await store.enrollments.insert(enrollment);
    t.true(await store.enrollments.approve(enrollment.key_id, AT));
    for (const name of ['Lap-7', 'lap-7', 'LAP-7']) t.false(await reportV1(store, name, 2), name);
  });

  test(`${kind}: two hosts of v1 whose names differ in case only are not taken over until one is gone`, async (t) => {
    const store = await (await prepare(t)).open();
    await reportV1(store, 'Lap-7', 1);
    await reportV1(store, 'lap-7', 2);
    const identity = identityOf(anEnrollment({ hostname: 'lap-7' }), AT);
    for (const adopt of [true, false]) t.false(await store.hosts.attach('lap-7', identity, { adopt }));
    t.deepEqual(await store.hosts.namesakes('lap-7'), [{ hostname: 'Lap-7' }, { hostname: 'lap-7' }]);
    await store.hosts.forget('Lap-7', AT);
    t.true(await store.hosts.attach('lap-7', identity, { adopt: true }));
    t.is((await store.hosts.find('lap-7'))?.plugins?.['a'], 2);
  });

  test(`${kind}: v1 is refused a name that was ever approved, in any case, former and forgotten ones too`, async (t) => {
    const store = await (await prepare(t)).open();
    const { identity } = await enrolledHost(store, { hostname: 'Lap-7' });
    t.is(await store.hosts.rename({ id: identity.host_id, from: 'Lap-7', to: 'Desk-7' }, AT), 'renamed');
    await store.hosts.forget('Desk-7', AT);
    const names = ['lap-7', 'LAP-7', 'Lap-7', 'desk-7', 'DESK-7'];
    // Asked at once, as the server does it for requests under way at once.
    const approved = await Promise.all([...names, 'lap-8'].map((name) => store.enrollments.everApproved(name)));
    t.deepEqual(approved, [...names.map(() => true), false]);
    for (const name of names) t.false(await reportV1(store, name, 1), name);
    t.is(await store.hosts.count(), 0);
  });

  test(`${kind}: a host whose name changes its case takes its history, issues and patches along`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store, { hostname: 'Lap-7' });
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.issues.open('Lap-7', 'disk', AT);
    const renaming = { id: host.identity.host_id, from: 'Lap-7', to: 'lap-7' };
    t.is(await store.hosts.rename(renaming, AT), 'renamed');
    t.is(await store.hosts.rename(renaming, AT), 'changed', 'a twin of the request finds it done');
    t.deepEqual(await store.hosts.namesakes('LAP-7'), [{ hostname: 'lap-7', host_id: host.identity.host_id }]);
    t.is((await store.trail.history('lap-7', { limit: 5 })).length, 1);
    t.is((await store.trail.history('Lap-7', { limit: 5 })).length, 0);
    t.is((await store.issues.history({ hostnames: ['lap-7'], limit: 5 })).length, 1);
    t.is((await store.enrollments.find(host.key_id))?.hostname, 'lap-7');
  });

  test(`${kind}: a store that holds a host of v1 beside one of v2 with that name in another case keeps both`, async (t) => {
    const place = await prepare(t);
    const first = await place.open();
    const { identity } = await enrolledHost(first, { hostname: 'Lap-7' });
    const documents: StoredDocument[] = [];
    for await (const each of first.upkeep.export()) documents.push(each);
    await first.upkeep.import(together(...documents), '019ab0c4-5e00-7000-8000-000000000002');
    await first.close();
    const store = await place.open();
    const { host_id: id } = identity;
    t.deepEqual(await store.hosts.namesakes('LAP-7'), [{ hostname: 'Lap-7', host_id: id }, { hostname: 'lap-7' }]);
    t.is((await store.hosts.find('lap-7'))?.plugins?.['a'], 1);
    t.is(await store.hosts.rename({ id, from: 'Lap-7', to: 'lap-7' }, AT), 'taken');
    t.false(await reportV1(store, 'lap-7', 2), 'v1 no longer speaks for a name of v2');
    t.true(await store.hosts.forget('lap-7', AT));
    t.is(await store.hosts.rename({ id, from: 'Lap-7', to: 'lap-7' }, AT), 'renamed');
  });
});
