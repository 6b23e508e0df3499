import { forEachStore } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour));

forEachStore((kind, test, prepare) => {
  test(`${kind}: since when there is a trail of a host is the time of its oldest record`, async (t) => {
    const store = await (await prepare(t)).open();
    t.is(await store.trail.since('old'), undefined);
    const report = (hour: number, hostname = 'old') =>
      store.hosts.storeV1({
        hostname,
        at: at(hour),
        plugins: { a: hour },
        trail: [{ hostname, audited_at: at(hour), key: 'plugins.a', type: 'change', old: 0, new: hour }],
      });
    await report(1, 'other');
    for (let hour = 2; hour < 23; hour++) await report(hour);
    t.deepEqual(await store.trail.since('old'), at(2));
    t.deepEqual(await store.trail.since('other'), at(1));
    const silent = { hostname: 'silent', at: at(1), plugins: {}, trail: [] };
    await store.hosts.storeV1(silent);
    t.is(await store.trail.since('silent'), undefined);
  });
});
