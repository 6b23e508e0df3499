import { identityOf } from '../../src/core/enrollment.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const first = new Date('2026-11-23T12:00:00.001Z');
const second = new Date('2026-11-23T13:00:00.002Z');

forEachStore((kind, test, prepare) => {
  test(`${kind}: v1 makes a host, replaces its plugins as a whole and its commands one by one`, async (t) => {
    const store = await (await prepare(t)).open();
    const hostname = 'penguin-01';
    const collected_at = new Date('2026-11-23T11:59:00Z');
    t.true(
      await store.hosts.storeV1({
        hostname,
        at: first,
        collected_at,
        plugins: { os: { name: 'Debian' }, sshd: 'unknown' },
        commands: { ls: { output: 'a' }, 'df-h': { stdout: '', stderr: 'no', returncode: 1 } },
        trail: [],
      }),
    );
    t.true(await store.hosts.storeV1({ hostname, at: second, commands: { ls: { output: 'b' } }, trail: [] }));
    t.deepEqual(await store.hosts.find(hostname), {
      hostname,
      submitted_at: second,
      collected_at,
      plugins: { os: { name: 'Debian' }, sshd: 'unknown', submitted_at: first },
      commands: {
        ls: { output: 'b', submitted_at: second },
        'df-h': { stdout: '', stderr: 'no', returncode: 1, submitted_at: first },
      },
    });
    await store.hosts.storeV1({ hostname, at: second, plugins: { os: null }, trail: [] });
    t.deepEqual((await store.hosts.find(hostname))?.plugins, { os: null, submitted_at: second });
  });

  test(`${kind}: v1 ends a suspension`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'a', at: first, plugins: {}, trail: [] });
    t.true(await store.hosts.suspend('a', true));
    t.true((await store.hosts.find('a'))?.suspended);
    await store.hosts.storeV1({ hostname: 'a', at: second, plugins: {}, trail: [] });
    t.is((await store.hosts.find('a'))?.suspended, undefined);
    await store.hosts.suspend('a', true);
    t.true(await store.hosts.suspend('a', false));
    t.is((await store.hosts.find('a'))?.suspended, undefined);
    t.false(await store.hosts.suspend('nobody', true));
  });

  test(`${kind}: v1 may not speak for a host that has enrolled, nor leave a trail of it`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const before = await store.hosts.find(host.hostname);
    const trail = [{ hostname: host.hostname, audited_at: first, key: 'x', type: 'add' as const, new: 1 }];
    t.false(await store.hosts.storeV1({ hostname: host.hostname, at: first, plugins: {}, trail }));
    t.deepEqual(await store.hosts.find(host.hostname), before);
    t.deepEqual(await store.trail.history(host.hostname, { limit: 1 }), []);
  });

  test(`${kind}: v1 may not speak for a forgotten host that had enrolled`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    await store.hosts.forget(host.hostname, first);
    t.false(await store.hosts.storeV1({ hostname: host.hostname, at: first, plugins: {}, trail: [] }));
    t.is(await store.hosts.find(host.hostname), undefined);
  });

  test(`${kind}: v1 still speaks for a host whose enrolment waits`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.enrollments.insert(anEnrollment({ hostname: 'waits' }));
    t.true(await store.hosts.storeV1({ hostname: 'waits', at: first, plugins: {}, trail: [] }));
  });

  test(`${kind}: each report of v1 leaves its trail once`, async (t) => {
    const store = await (await prepare(t)).open();
    const record = (at: Date, key: string) => ({ hostname: 'a', audited_at: at, key, type: 'add' as const, new: 1 });
    await store.hosts.storeV1({ hostname: 'a', at: first, plugins: {}, trail: [record(first, 'one')] });
    await store.hosts.storeV1({ hostname: 'a', at: second, plugins: {}, trail: [record(second, 'two')] });
    t.deepEqual(await store.trail.history('a', { limit: 5 }), [record(second, 'two'), record(first, 'one')]);
  });

  test(`${kind}: many reports of v1 for one host at once are all stored, with all their trail`, async (t) => {
    const place = await prepare(t);
    const stores = [await place.open(), await place.open()];
    const names = Array.from({ length: 6 }, (_, index) => `c${index}`);
    const stored = await Promise.all(
      names.map((name, index) =>
        stores[index % 2]?.hosts.storeV1({
          hostname: 'busy',
          at: first,
          commands: { [name]: { output: name } },
          trail: [{ hostname: 'busy', audited_at: first, key: `commands.${name}`, type: 'add', new: name }],
        }),
      ),
    );
    t.deepEqual(
      stored,
      names.map(() => true),
    );
    t.deepEqual(Object.keys((await stores[0]?.hosts.find('busy'))?.commands ?? {}).sort(), names);
    const trail = (await stores[0]?.trail.history('busy', { limit: 100 })) ?? [];
    t.deepEqual(
      trail.map(({ key }) => key).sort(),
      names.map((name) => `commands.${name}`),
    );
  });

  test(`${kind}: an identity that comes while v1 reports wins`, async (t) => {
    const place = await prepare(t);
    const [one, two] = [await place.open(), await place.open()];
    const enrollment = anEnrollment({ hostname: 'raced' });
    await one.hosts.storeV1({ hostname: 'raced', at: first, plugins: {}, trail: [] });
    const [attached] = await Promise.all([
      one.hosts.attach('raced', identityOf(enrollment, first), { adopt: true }),
      two.hosts.storeV1({ hostname: 'raced', at: second, plugins: {}, trail: [] }),
    ]);
    t.true(attached);
    t.false(await two.hosts.storeV1({ hostname: 'raced', at: second, plugins: {}, trail: [] }));
  });
});
