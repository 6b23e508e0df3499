import { aCheckIn, anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');
const LATER = new Date('2026-11-24T12:00:00.001Z');

forEachStore((kind, test, prepare) => {
  test(`${kind}: a lost host stores nothing, and its numbers are still used up`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    t.true(await store.hosts.markLost(host.hostname, AT));
    const lost = await store.hosts.find(host.hostname);
    t.deepEqual(lost?.identity?.lost_at, AT);
    t.false(await store.hosts.checkIn(aCheckIn(report)));
    const next = aReport(host, { sequence: report.sequence + 1, expected_chain: report.answer.chain });
    t.false(await store.hosts.storeReport(next));
    const { key_id, sequence, expected_chain, epoch, answer } = next;
    t.false(await store.hosts.settleGone({ key_id, sequence, expected_chain, epoch, answer }));
    t.deepEqual(await store.hosts.find(host.hostname), lost);
    const spent = await store.hosts.spend({ key_id, sequence }, AT);
    t.like(spent, { outcome: 'spent', host: { identity: { lost_at: AT } } });
  });

  test(`${kind}: the first mark's time stays; a host that is found reports as before`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const before = await store.hosts.find(host.hostname);
    await store.hosts.markLost(host.hostname, AT);
    t.true(await store.hosts.markLost(host.hostname, LATER));
    t.deepEqual((await store.hosts.find(host.hostname))?.identity?.lost_at, AT);
    t.true(await store.hosts.markLost(host.hostname, undefined));
    t.deepEqual(await store.hosts.find(host.hostname), before);
    t.true(await store.hosts.checkIn(aCheckIn(report)));
  });

  test(`${kind}: only a host of v2 can be lost`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'old', at: AT, plugins: { a: 1 }, trail: [] });
    const before = await store.hosts.find('old');
    for (const since of [AT, undefined]) {
      t.false(await store.hosts.markLost('old', since));
      t.false(await store.hosts.markLost('nobody', since));
    }
    t.deepEqual(await store.hosts.find('old'), before);
  });

  test(`${kind}: who takes the place of a lost host is not lost`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    await store.hosts.markLost(host.hostname, AT);
    const { key_id, public_key, sequence } = anEnrollment();
    const newcomer = { host_id: host.identity.host_id, key: { id: key_id, public_key, added_at: AT }, sequence };
    t.true(await store.hosts.replace(host.hostname, newcomer, AT));
    t.is((await store.hosts.find(host.hostname))?.identity?.lost_at, undefined);
  });
});
