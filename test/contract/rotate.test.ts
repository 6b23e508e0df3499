import { v7 } from 'uuid';
import type { Enrollment } from '../../src/core/enrollment.ts';
import type { HostId, Identity, KeyId } from '../../src/core/host.ts';
import type { Rotation, StoredDocument } from '../../src/store/port.ts';
import { aCheckIn, anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');
const hours = (count: number) => new Date(AT.getTime() + count * 3_600_000);
const ENDS = hours(24);

function rotationOf(
  host: { hostname: string; identity: Identity },
  old: KeyId,
  { enrollment, ...changes }: Partial<Omit<Rotation, 'enrollment'>> & { enrollment?: Partial<Enrollment> } = {},
): Rotation {
  const { host_id } = host.identity;
  const record = anEnrollment({ hostname: host.hostname, host_id, status: 'approved', approved_at: AT, ...enrollment });
  return { host_id, enrollment: { ...record, replaces: old }, ends_at: ENDS, none_since: hours(-1), ...changes };
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a key that its host vouches for is added, with a record; all else stays, and both speak until the old one ends`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const before = (await store.hosts.find(host.hostname)) ?? t.fail();
    const rotation = rotationOf(host, host.key_id);
    t.true(await store.hosts.rotate(rotation, AT));
    const { key_id, public_key } = rotation.enrollment;
    const [old] = host.identity.keys;
    const keys = [
      { ...(old ?? t.fail()), ends_at: ENDS },
      { id: key_id, public_key, added_at: AT, replaces: host.key_id },
    ];
    const identity = before.identity ?? t.fail();
    t.deepEqual(await store.hosts.find(host.hostname), { ...before, identity: { ...identity, keys } });
    t.deepEqual(await store.enrollments.find(key_id), rotation.enrollment);
    t.true(await store.enrollments.everApproved(host.hostname));
    t.is((await store.hosts.findByKey(key_id))?.hostname, host.hostname);
    const { sequence } = report;
    t.is((await store.hosts.spend({ key_id: host.key_id, sequence: sequence + 1 }, hours(23))).outcome, 'spent');
    t.like(await store.hosts.spend({ key_id, sequence: sequence + 1 }, AT), { outcome: 'replayed' });
    t.is((await store.hosts.spend({ key_id, sequence: sequence + 2 }, hours(99))).outcome, 'spent');
    t.true(await store.hosts.checkIn({ ...aCheckIn(report), key_id, sequence: sequence + 3 }), 'the chain goes on');
  });

  test(`${kind}: a key that has ended is refused like a revoked one, by each guard, at its very time`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.hosts.rotate(rotationOf(host, host.key_id), AT);
    const before = await store.hosts.find(host.hostname);
    const speaker = { key_id: host.key_id, sequence: report.sequence + 1 };
    t.deepEqual(await store.hosts.spend(speaker, ENDS), { outcome: 'revoked' });
    const late = { submission: v7(), chain: 'late', at: ENDS };
    t.false(await store.hosts.checkIn({ ...aCheckIn(report), answer: late }));
    const expected_chain = report.answer.chain;
    t.false(await store.hosts.storeReport(aReport(host, { ...speaker, expected_chain, answer: late })));
    t.false(await store.hosts.settleGone({ ...speaker, expected_chain, epoch: report.epoch, answer: late }));
    t.deepEqual(await store.hosts.find(host.hostname), before);
    const early = { ...late, at: new Date(ENDS.getTime() - 1) };
    t.true(await store.hosts.checkIn({ ...aCheckIn(report), answer: early }));
  });

  test(`${kind}: a third key ends the first one at once, and no end ever moves away`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const second = rotationOf(host, host.key_id);
    await store.hosts.rotate(second, AT);
    const third = rotationOf(host, second.enrollment.key_id, { ends_at: hours(48), none_since: hours(1) });
    t.true(await store.hosts.rotate(third, hours(2)));
    const fourth = rotationOf(host, third.enrollment.key_id, { ends_at: hours(72), none_since: hours(3) });
    t.true(await store.hosts.rotate(fourth, hours(4)));
    const found = await store.hosts.find(host.hostname);
    t.deepEqual(
      found?.identity?.keys.map(({ ends_at }) => ends_at),
      [hours(2), hours(4), hours(72), undefined],
    );
  });

  test(`${kind}: a revoked key stays as it is when another one is added`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const { key_id, public_key, sequence } = anEnrollment();
    const key = { id: key_id, public_key, added_at: AT };
    await store.hosts.replace(host.hostname, { host_id: host.identity.host_id, key, sequence }, AT);
    const [revoked] = (await store.hosts.find(host.hostname))?.identity?.keys ?? [];
    t.true(await store.hosts.rotate(rotationOf(host, key_id), hours(1)));
    t.deepEqual((await store.hosts.find(host.hostname))?.identity?.keys[0], revoked);
  });

  test(`${kind}: nothing is added where the guard does not hold`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const other = await enrolledHost(store);
    const waiting = anEnrollment();
    await store.enrollments.insert(waiting);
    const before = await store.hosts.find(host.hostname);
    const wrong: Record<string, Rotation> = {
      'another host': { ...rotationOf(host, host.key_id), host_id: other.identity.host_id },
      'no such host': { ...rotationOf(host, host.key_id), host_id: v7() as HostId },
      'a key of another host vouches': rotationOf(host, other.key_id),
      'the new key is the old one': rotationOf(host, host.key_id, { enrollment: { key_id: host.key_id } }),
      "the new key is another host's": rotationOf(host, host.key_id, { enrollment: { key_id: other.key_id } }),
      'the new key waits for approval': rotationOf(host, host.key_id, { enrollment: { key_id: waiting.key_id } }),
    };
    for (const [why, rotation] of Object.entries(wrong)) t.false(await store.hosts.rotate(rotation, AT), why);
    await store.hosts.markLost(host.hostname, AT);
    t.false(await store.hosts.rotate(rotationOf(host, host.key_id), AT), 'lost');
    await store.hosts.markLost(host.hostname, undefined);
    t.deepEqual(await store.hosts.find(host.hostname), before);
    t.is((await store.enrollments.list()).length, 3);
    await store.hosts.revokeKey(host.key_id, AT);
    t.false(await store.hosts.rotate(rotationOf(host, host.key_id), AT), 'revoked');
    await store.hosts.forget(other.hostname, AT);
    t.false(await store.hosts.rotate(rotationOf(other, other.key_id), AT), 'forgotten');
    t.is((await store.enrollments.list()).length, 3);
  });

  test(`${kind}: neither too soon after another one, nor by a key that another one has taken over from`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const first = rotationOf(host, host.key_id);
    t.true(await store.hosts.rotate(first, AT));
    t.false(await store.hosts.rotate(first, AT), 'once');
    const { key_id } = first.enrollment;
    t.false(await store.hosts.rotate(rotationOf(host, host.key_id, { none_since: hours(1) }), hours(2)));
    t.false(await store.hosts.rotate(rotationOf(host, key_id, { none_since: hours(-1) }), hours(0.5)));
    t.is((await store.hosts.find(host.hostname))?.identity?.keys.length, 2);
    t.true(await store.hosts.rotate(rotationOf(host, key_id, { none_since: AT }), hours(1)));
  });

  test(`${kind}: of many rotations at once one is done, and only its key has a record that counts`, async (t) => {
    const place = await prepare(t);
    const [store, twin] = [await place.open(), await place.open()];
    const host = await enrolledHost(store);
    const rotations = Array.from({ length: 8 }, () => rotationOf(host, host.key_id));
    const done = await Promise.all(rotations.map((each, index) => (index % 2 ? store : twin).hosts.rotate(each, AT)));
    t.is(done.filter(Boolean).length, 1);
    const keys = (await store.hosts.find(host.hostname))?.identity?.keys ?? [];
    t.is(keys.length, 2);
    const approved = (await store.enrollments.list()).filter(({ status }) => status === 'approved');
    t.deepEqual(approved.map(({ key_id }) => key_id).sort(), keys.map(({ id }) => id).sort());
  });

  test(`${kind}: keys that rotated survive a backup`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const rotation = rotationOf(host, host.key_id);
    await store.hosts.rotate(rotation, AT);
    const before = await store.hosts.find(host.hostname);
    const documents: StoredDocument[] = [];
    for await (const document of store.upkeep.export()) documents.push(document);
    await store.upkeep.import(
      (async function* () {
        yield* documents;
      })(),
      v7(),
    );
    t.deepEqual(await store.hosts.find(host.hostname), before);
    t.deepEqual(await store.enrollments.find(rotation.enrollment.key_id), rotation.enrollment);
  });
});
