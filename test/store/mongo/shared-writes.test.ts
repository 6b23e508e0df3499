import type { Fields } from '../../../src/core/value.ts';
import { aCheckIn, aReport, enrolledHost } from '../../support/documents.ts';
import { forEachStore } from '../../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00Z');
const v1 = (hostname: string, plugins: Fields) => ({ hostname, at: AT, plugins, trail: [] });

forEachStore((kind, test, prepare) => {
  if (kind !== 'mongo replica set' && kind !== 'mongo standalone') return;

  test(`${kind}: of writes that are asked for at once, each has its own outcome`, async (t) => {
    const store = await (await prepare(t)).open();
    const hosts = await Promise.all(Array.from({ length: 6 }, () => enrolledHost(store)));
    const reports = hosts.map((host) => aReport(host));
    for (const report of reports) t.true(await store.hosts.storeReport(report));
    const checkIns = reports.map((report, index) => aCheckIn(report, index % 2 === 0 ? {} : { chain: 'forked' }));
    let deep: Fields = {};
    for (let depth = 0; depth < 250; depth++) deep = { deep };
    const [known] = hosts;

    const outcomes = await Promise.allSettled([
      ...checkIns.map((checkIn) => store.hosts.checkIn(checkIn)),
      store.hosts.storeV1(v1('new-host', { n: 1 })),
      store.hosts.storeV1(v1('new-host', { n: 2 })),
      store.hosts.storeV1(v1(known?.hostname ?? t.fail(), { n: 3 })),
      store.hosts.storeV1(v1('large-host', { large: 'x'.repeat(16 * 1024 * 1024) })),
      store.hosts.storeV1(v1('deep-host', deep)),
    ]);
    const said = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'failed'));
    t.deepEqual(said, [true, false, true, false, true, false, true, true, false, 'failed', 'failed']);
    for (const [index, { hostname }] of hosts.entries()) {
      const stored = (await store.hosts.find(hostname))?.identity?.last;
      t.deepEqual(stored, (index % 2 === 0 ? checkIns : reports)[index]?.answer);
    }
    t.is(await store.hosts.find('large-host'), undefined);
    t.is(await store.hosts.find('deep-host'), undefined);
    t.not(await store.hosts.find('new-host'), undefined);
  });

  test(`${kind}: a batch in which guards fail, and none is refused, tells them apart`, async (t) => {
    const store = await (await prepare(t)).open();
    const hosts = await Promise.all(Array.from({ length: 8 }, () => enrolledHost(store)));
    const stored = await Promise.all(
      hosts.map((host, index) => store.hosts.storeReport(aReport(host, index < 3 ? { expected_chain: 'other' } : {}))),
    );
    t.deepEqual(
      stored,
      hosts.map((_, index) => index >= 3),
    );
    for (const [index, { hostname }] of hosts.entries()) {
      t.is((await store.trail.history(hostname, { limit: 5 })).length, index < 3 ? 0 : 1);
    }
  });

  test(`${kind}: reports and the settling of others, asked for at once, each have their own outcome`, async (t) => {
    const store = await (await prepare(t)).open();
    const judged = { version: '1', evaluated_at: AT, results: {} };
    const hosts = await Promise.all(Array.from({ length: 6 }, () => enrolledHost(store)));
    const [reporting, settling] = [hosts.slice(0, 3), hosts.slice(3)];
    for (const host of settling) t.true(await store.hosts.storeReport(aReport(host, { checks: judged })));
    const outcomes = await Promise.all([
      ...reporting.map((host, index) =>
        store.hosts.storeReport(aReport(host, index === 0 ? { expected_chain: 'other' } : {})),
      ),
      ...settling.map(({ hostname }, index) =>
        store.hosts.settle(hostname, index === 0 ? new Date(AT.getTime() + 1) : AT),
      ),
    ]);
    t.deepEqual(outcomes, [false, true, true, false, true, true]);
    const settled = await Promise.all(
      settling.map(async ({ hostname }) => (await store.hosts.find(hostname))?.settled),
    );
    t.deepEqual(settled, [false, true, true]);
  });
});
