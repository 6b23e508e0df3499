import type { Judgement } from '../../src/core/check.ts';
import { aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const at = (hour: number) => new Date(Date.UTC(2026, 10, 23, hour, 0, 0, 7));

function aJudgement(changes: Partial<Judgement> = {}): Judgement {
  return {
    version: 'v1',
    evaluated_at: at(12),
    results: {
      'disk.encrypted': { answer: 'fail', fails: true, evidence: { 'plugins.$disk.x': [null] }, since: at(11) },
      firewall: { answer: 'unknown', fails: false, evidence: {}, reason: 'nothing was reported', since: at(12) },
    },
    ...changes,
  };
}

async function names<T>(hosts: AsyncIterable<T & { hostname: string }>): Promise<string[]> {
  const found: string[] = [];
  for await (const { hostname } of hosts) found.push(hostname);
  return found;
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: what the checks say is stored with the report, and unsettled until it is carried over`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const checks = aJudgement({ deadline_at: at(15) });
    await store.hosts.storeReport(aReport(host, { checks }));
    const found = await store.hosts.find(host.hostname);
    t.deepEqual(found?.checks, checks);
    t.false(found?.settled);
    t.false(await store.hosts.settle(host.hostname, at(13)), 'other checks were stored meanwhile');
    t.true(await store.hosts.settle(host.hostname, checks.evaluated_at));
    t.true((await store.hosts.find(host.hostname))?.settled);
  });

  test(`${kind}: a judgement is stored only for the report that it judged`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.hosts.storeV1({ hostname: 'a', at: at(10), plugins: {}, trail: [] });
    const host = await enrolledHost(store);
    t.false(await store.hosts.saveJudgement('a', at(9), aJudgement()));
    t.false(await store.hosts.saveJudgement('a', undefined, aJudgement()));
    t.true(await store.hosts.saveJudgement('a', at(10), aJudgement()));
    t.deepEqual((await store.hosts.find('a'))?.checks, aJudgement());
    t.true(await store.hosts.saveJudgement(host.hostname, undefined, aJudgement()));
    t.false(await store.hosts.saveJudgement('nobody', undefined, aJudgement()));
  });

  test(`${kind}: hosts are listed by name, all or those asked for`, async (t) => {
    const store = await (await prepare(t)).open();
    const all = Array.from({ length: 25 }, (_, index) => `h${String(index).padStart(2, '0')}`);
    for (const hostname of [...all].reverse()) {
      await store.hosts.storeV1({ hostname, at: at(10), plugins: {}, trail: [] });
    }
    t.deepEqual(await names(store.hosts.list()), all);
    t.deepEqual(await names(store.hosts.list({ hostnames: ['h03', 'nobody', 'h01'] })), ['h01', 'h03']);
    t.is(await store.hosts.count(), 25);

    await store.hosts.saveJudgement('h05', at(10), aJudgement({ deadline_at: at(14) }));
    await store.hosts.saveJudgement('h06', at(10), aJudgement({ version: 'v2' }));
    await store.hosts.settle('h06', at(12));
    t.deepEqual(await names(store.hosts.list({ unsettled: true })), ['h05']);
    t.deepEqual(await names(store.hosts.list({ deadline_by: at(14) })), ['h05']);
    t.deepEqual(await names(store.hosts.list({ deadline_by: at(13) })), []);
    t.deepEqual(
      await names(store.hosts.list({ judged_otherwise: 'v2' })),
      all.filter((name) => name !== 'h06'),
    );
    await store.hosts.storeV1({ hostname: 'h07', at: at(20), plugins: {}, trail: [] });
    t.deepEqual(
      await names(store.hosts.list({ silent_since: at(20) })),
      all.filter((name) => name !== 'h07'),
    );
    t.deepEqual(await names(store.hosts.list({ silent_since: at(10) })), []);
    const { hostname } = await enrolledHost(store);
    t.deepEqual(await names(store.hosts.list({ silent_since: at(10) })), [hostname], 'it never submitted');
  });

  test(`${kind}: hosts may be changed while they are listed`, async (t) => {
    const store = await (await prepare(t)).open();
    for (let n = 0; n < 30; n++) await store.hosts.storeV1({ hostname: `h${n}`, at: at(1), plugins: {}, trail: [] });
    let seen = 0;
    for await (const host of store.hosts.list()) {
      seen++;
      t.true(await store.hosts.saveJudgement(host.hostname, host.submitted_at, aJudgement()));
    }
    t.is(seen, 30);
  });

  test(`${kind}: an issue is open once, until it is closed`, async (t) => {
    const store = await (await prepare(t)).open();
    t.true(await store.issues.open('a', 'disk', at(1)));
    t.false(await store.issues.open('a', 'disk', at(2)));
    t.true(await store.issues.close('a', 'disk', at(3)));
    t.false(await store.issues.close('a', 'disk', at(4)));
    t.true(await store.issues.open('a', 'disk', at(5)));
    t.deepEqual(await store.issues.history({ limit: 5 }), [
      { hostname: 'a', name: 'disk', opened_at: at(5) },
      { hostname: 'a', name: 'disk', opened_at: at(1), closed_at: at(3) },
    ]);
  });

  test(`${kind}: open issues come by host, then name, and by filter`, async (t) => {
    const store = await (await prepare(t)).open();
    for (const [hostname, name] of [
      ['b', 'x'],
      ['a', 'z'],
      ['a', 'x'],
      ['c', 'x'],
    ] as const) {
      await store.issues.open(hostname, name, at(1));
    }
    await store.issues.close('c', 'x', at(2));
    const listed = async (filter?: Parameters<typeof store.issues.listOpen>[0]) => {
      const found: string[] = [];
      for await (const { hostname, name } of store.issues.listOpen(filter)) found.push(`${hostname} ${name}`);
      return found;
    };
    t.deepEqual(await listed(), ['a x', 'a z', 'b x']);
    t.deepEqual(await listed({ hostnames: ['a'] }), ['a x', 'a z']);
    t.deepEqual(await listed({ names: ['x'], hostnames: ['b', 'c'] }), ['b x']);
    t.is((await store.issues.history({ names: ['x'], limit: 2 })).length, 2);
  });

  test(`${kind}: alerts are noted with the open issue only`, async (t) => {
    const store = await (await prepare(t)).open();
    await store.issues.open('a', 'x', at(1));
    await store.issues.close('a', 'x', at(2));
    await store.issues.open('a', 'x', at(3));
    await store.issues.open('b', 'x', at(3));
    await store.issues.markAlerted([{ hostname: 'a', name: 'x' }], at(4));
    await store.issues.markAlerted([], at(4));
    const history = await store.issues.history({ limit: 5, hostnames: ['a'] });
    t.deepEqual(
      history.map(({ alerted_at }) => alerted_at),
      [at(4), undefined],
    );
    t.is((await store.issues.history({ limit: 5, hostnames: ['b'] }))[0]?.alerted_at, undefined);
  });

  test(`${kind}: checks carried over open and close what changed, and leave other names alone`, async (t) => {
    const store = await (await prepare(t)).open();
    for (const name of ['stays', 'passes', 'other']) await store.issues.open('a', name, at(1));
    t.deepEqual(await store.issues.reconcile('a', ['stays', 'new'], ['passes', 'fine'], at(2)), {
      opened: ['new'],
      closed: ['passes'],
    });
    t.deepEqual(await store.issues.reconcile('a', ['stays', 'new'], ['passes', 'fine'], at(3)), {
      opened: [],
      closed: [],
    });
    const open: string[] = [];
    for await (const { name } of store.issues.listOpen()) open.push(name);
    t.deepEqual(open, ['new', 'other', 'stays']);
  });
});
