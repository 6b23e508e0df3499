import { v7 } from 'uuid';
import type { Fields } from '../../src/core/value.ts';
import { aCheckIn, aDigest, anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

forEachStore((kind, test, prepare) => {
  test(`${kind}: a report is stored field by field, with the times of its arrival`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host, { commands: { ls: { output: 'a\nb', submitted_at: new Date(1_700_000_000_001) } } });
    t.true(await store.hosts.storeReport(report));
    const { identity, ...rest } = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    t.deepEqual(rest, {
      hostname: host.hostname,
      plugins: { os_info: { distname: 'Debian', version: '12' }, submitted_at: report.answer.at },
      commands: { ls: { output: 'a\nb', submitted_at: new Date(1_700_000_000_001) } },
      collected_at: report.collected_at,
      submitted_at: report.answer.at,
    });
    t.deepEqual(identity, {
      ...host.identity,
      sequence: report.sequence,
      epoch: report.epoch,
      last: report.answer,
      digest: report.digest,
      list: report.list,
    });
  });

  test(`${kind}: a report replaces the plugins as a whole, and leaves commands that it does not give`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const first = aReport(host, { commands: { ls: { output: 'x' } } });
    await store.hosts.storeReport(first);
    const second = aReport(host, {
      sequence: first.sequence + 1,
      expected_chain: first.answer.chain,
      digest: aDigest('second'),
      plugins: { sshd: 'unknown' },
      trail: [],
    });
    t.true(await store.hosts.storeReport(second));
    const found = await store.hosts.find(host.hostname);
    t.deepEqual(found?.plugins, { sshd: 'unknown', submitted_at: second.answer.at });
    t.deepEqual(found?.commands, { ls: { output: 'x' } });
  });

  test(`${kind}: a report that says how the host was read is stored whole, whatever of it changed`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const stays = { deep: [{ $odd: 1, 'a.b': 2 }], at: new Date(1_700_000_000_001) };
    const first = aReport(host, {
      list: {
        'plugins.a.b': aDigest('1'),
        'plugins.$c': aDigest('2'),
        'plugins.7': aDigest('3'),
        'commands.x': aDigest('4'),
      },
      plugins: { 'a.b': stays, $c: 'goes', 7: { n: 1 }, '': 'none', same: 'text' },
      commands: { x: stays, 'y.z': { n: 1 } },
    });
    t.true(await store.hosts.storeReport(first));
    const before = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    const second = aReport(host, {
      sequence: first.sequence + 1,
      expected_chain: first.answer.chain,
      before,
      digest: aDigest('second'),
      list: { 'plugins.a.b': aDigest('1'), 'plugins.7': aDigest('5'), 'plugins.$new': aDigest('6') },
      plugins: { ...pick(before.plugins, 'a.b', '', 'same'), 7: { 'n.m': 2 }, $new: null, ['__proto__']: { own: 1 } },
      commands: { ...pick(before.commands, 'x'), $w: [1] },
      trail: [],
    });
    t.true(await store.hosts.storeReport(second));
    const found = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    t.deepEqual(found.plugins, { ...second.plugins, ['__proto__']: { own: 1 }, submitted_at: second.answer.at });
    t.deepEqual(found.commands, { x: stays, $w: [1] });
    t.deepEqual(found.identity.list, second.list);
  });

  test(`${kind}: what was read with another chain value than the one expected is not relied on`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const first = aReport(host, { plugins: { a: 'first', b: 'first' } });
    t.true(await store.hosts.storeReport(first));
    const early = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    const second = aReport(host, {
      sequence: first.sequence + 1,
      expected_chain: first.answer.chain,
      plugins: { a: 'second', c: 'second' },
      trail: [],
    });
    t.true(await store.hosts.storeReport(second));
    const third = { ...second, sequence: second.sequence + 1, before: early, plugins: { ...early.plugins }, list: {} };
    const again = aReport(host, third);
    t.false(await store.hosts.storeReport({ ...again, expected_chain: first.answer.chain }));
    t.true(await store.hosts.storeReport({ ...again, expected_chain: second.answer.chain }));
    const found = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    t.deepEqual(found.plugins, { a: 'first', b: 'first', submitted_at: third.answer.at });
    t.deepEqual(found.identity.list, {});
  });

  test(`${kind}: of a report that changes very much, all is stored`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const many = (round: number) =>
      Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`p.${n + round}`, { round, n }]));
    const first = aReport(host, { plugins: many(0) });
    t.true(await store.hosts.storeReport(first));
    const before = (await store.hosts.findByKey(host.key_id)) ?? t.fail();
    const { sequence, answer } = first;
    const second = { sequence: sequence + 1, expected_chain: answer.chain, before, plugins: many(1), trail: [] };
    t.true(await store.hosts.storeReport(aReport(host, second)));
    const { submitted_at: _, ...plugins } = (await store.hosts.find(host.hostname))?.plugins ?? t.fail();
    t.deepEqual(plugins, many(1));
  });

  test(`${kind}: a check-in moves the times, the sequence and the chain, and nothing else`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.hosts.suspend(host.hostname, true);
    const before = await store.hosts.find(host.hostname);
    const checkIn = aCheckIn(report);
    t.true(await store.hosts.checkIn(checkIn));
    const { suspended, ...unsuspended } = before ?? t.fail();
    t.true(suspended);
    t.deepEqual(await store.hosts.find(host.hostname), {
      ...unsuspended,
      collected_at: checkIn.collected_at,
      submitted_at: checkIn.answer.at,
      plugins: { ...before?.plugins, submitted_at: checkIn.answer.at },
      identity: { ...(before?.identity ?? t.fail()), sequence: checkIn.sequence, last: checkIn.answer },
    });
    t.true(
      await store.hosts.checkIn(aCheckIn(report, { sequence: checkIn.sequence + 1, chain: checkIn.answer.chain })),
    );
  });

  for (const [what, changes] of [
    ['another epoch', { epoch: v7() }],
    ['another chain', { chain: 'stale' }],
    ['no chain', { chain: null }],
    ['another digest', { digest: aDigest('other') }],
    ['an old sequence number', { sequence: 1 }],
    ['an unknown key', { key_id: anEnrollment().key_id }],
  ] as const) {
    test(`${kind}: a check-in with ${what} changes nothing`, async (t) => {
      const store = await (await prepare(t)).open();
      const host = await enrolledHost(store);
      const report = aReport(host);
      await store.hosts.storeReport(report);
      const before = await store.hosts.find(host.hostname);
      t.false(await store.hosts.checkIn(aCheckIn(report, changes)));
      t.deepEqual(await store.hosts.find(host.hostname), before);
    });
  }

  test(`${kind}: a check-in under the last submission's id changes nothing`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const answer = { ...aCheckIn(report).answer, submission: report.answer.submission };
    t.false(await store.hosts.checkIn(aCheckIn(report, { answer })));
  });

  for (const [what, changes] of [
    ['an old sequence number', { sequence: 1 }],
    ['another chain than expected', { expected_chain: 'other' }],
    ['an unknown key', { key_id: anEnrollment().key_id }],
  ] as const) {
    test(`${kind}: a report with ${what} stores neither itself nor its trail`, async (t) => {
      const store = await (await prepare(t)).open();
      const host = await enrolledHost(store);
      const before = await store.hosts.find(host.hostname);
      t.false(await store.hosts.storeReport(aReport(host, changes)));
      t.deepEqual(await store.hosts.find(host.hostname), before);
      t.deepEqual(await store.trail.history(host.hostname, { limit: 10 }), []);
    });
  }

  test(`${kind}: a submission that the agent no longer holds is acknowledged, and no time moves`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const before = (await store.hosts.find(host.hostname)) ?? t.fail();
    const gone = {
      key_id: host.key_id,
      sequence: report.sequence + 5,
      expected_chain: report.answer.chain,
      epoch: v7(),
      answer: { submission: v7(), chain: 'next', at: new Date('2026-11-23T12:00:00Z') },
    };
    t.true(await store.hosts.settleGone(gone));
    t.deepEqual(await store.hosts.find(host.hostname), {
      ...before,
      identity: {
        ...(before.identity ?? t.fail()),
        sequence: gone.sequence,
        epoch: gone.epoch,
        last: gone.answer,
      },
    });
    t.false(await store.hosts.settleGone({ ...gone, sequence: gone.sequence + 1 }), 'the chain has moved');
  });

  test(`${kind}: a sequence number is used up once, and the host comes with it`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const sequence = host.identity.sequence + 10;
    const spent = await store.hosts.spend({ key_id: host.key_id, sequence }, new Date());
    t.is(spent.outcome, 'spent');
    t.is(spent.outcome === 'spent' && spent.host.hostname, host.hostname);
    t.is(spent.outcome === 'spent' && spent.host.identity.sequence, sequence);
    t.deepEqual(await store.hosts.spend({ key_id: host.key_id, sequence }, new Date()), {
      outcome: 'replayed',
      last: sequence,
    });
    t.deepEqual(await store.hosts.spend({ key_id: anEnrollment().key_id, sequence }, new Date()), {
      outcome: 'unknown',
    });
  });

  test(`${kind}: a key that waits for approval uses its numbers up too`, async (t) => {
    const store = await (await prepare(t)).open();
    const enrollment = anEnrollment();
    await store.enrollments.insert(enrollment);
    const sequence = enrollment.sequence + 1;
    t.deepEqual(await store.hosts.spend({ key_id: enrollment.key_id, sequence }, new Date()), {
      outcome: 'pending',
      enrollment: { ...enrollment, sequence },
    });
    t.deepEqual(await store.hosts.spend({ key_id: enrollment.key_id, sequence }, new Date()), {
      outcome: 'replayed',
      last: sequence,
    });
    await store.enrollments.revoke(enrollment.key_id, new Date(), 'lost');
    t.deepEqual(await store.hosts.spend({ key_id: enrollment.key_id, sequence: sequence + 1 }, new Date()), {
      outcome: 'revoked',
    });
  });

  test(`${kind}: nothing is stored for a revoked key`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const at = new Date('2026-11-23T11:00:00Z');
    t.true(await store.hosts.revokeKey(host.key_id, at));
    t.false(await store.hosts.revokeKey(anEnrollment().key_id, at));
    t.false(await store.hosts.checkIn(aCheckIn(report)));
    t.false(
      await store.hosts.storeReport(
        aReport(host, { sequence: report.sequence + 1, expected_chain: report.answer.chain }),
      ),
    );
    t.deepEqual(await store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 2 }, new Date()), {
      outcome: 'revoked',
    });
    const found = await store.hosts.findByKey(host.key_id);
    t.deepEqual(found?.identity.keys[0]?.revoked_at, at);
    t.is(found?.identity.sequence, report.sequence);
  });

  test(`${kind}: keys that a store could stumble over come back as they were sent`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const hostile: Fields = JSON.parse(
      '{"$where":1,"a.b":{"$set":{"x.y.":null}},"":"empty","nul\\u0000key":[{"\\u0000":true}],"__proto__":{"__proto__":"deep"},"constructor":{"prototype":1},"\\u241b":"sign","\\u241b24":"sign and code","_bsontype":"ObjectId","toBSON":1,"$date":"2026-01-01T00:00:00Z","$oid":"000000000000000000000000","0":"zero","plugins.submitted_at":false}',
    );
    const text = 'a\0b \ud83d\udc27 \u2028';
    const plugins: Fields = { hostile, 'odd.name': [text, { seen_at: new Date(1_700_000_000_123) }], $odd: 1.5 };
    await store.hosts.storeReport(
      aReport(host, {
        plugins,
        commands: { 'c.d': hostile },
        list: { 'plugins.a.b': aDigest('a'), 'commands.$x': aDigest('b') },
        trail: [
          { hostname: host.hostname, audited_at: new Date(1), key: 'plugins.hostile', type: 'add', new: hostile },
        ],
      }),
    );
    const found = (await store.hosts.find(host.hostname)) ?? t.fail();
    const { submitted_at: _, ...stored } = found.plugins ?? t.fail();
    t.deepEqual(stored, plugins);
    t.is(JSON.stringify(stored), JSON.stringify(plugins));
    t.deepEqual(found.commands, { 'c.d': hostile });
    t.deepEqual(found.identity?.list, { 'plugins.a.b': aDigest('a'), 'commands.$x': aDigest('b') });
    const [record] = await store.trail.history(host.hostname, { limit: 1 });
    t.is(JSON.stringify(record?.new), JSON.stringify(hostile));
  });

  test(`${kind}: the trail comes newest first, up to a limit and a time`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const trail = [1, 2, 3].map((n) => ({
      hostname: host.hostname,
      audited_at: new Date(n * 1000),
      key: `plugins.p${n}`,
      type: 'change' as const,
      old: n,
      new: [n],
    }));
    await store.hosts.storeReport(aReport(host, { trail }));
    t.deepEqual(await store.trail.history(host.hostname, { limit: 2 }), [trail[2] ?? t.fail(), trail[1] ?? t.fail()]);
    t.deepEqual(await store.trail.history(host.hostname, { limit: 9, before: new Date(2000) }), [trail[0] ?? t.fail()]);
    t.deepEqual(await store.trail.history('somebody-else', { limit: 9 }), []);
  });
});

/** The very values. */
function pick(fields: Fields | undefined, ...names: string[]): Fields {
  return Object.fromEntries(Object.entries(fields ?? {}).filter(([name]) => names.includes(name)));
}
