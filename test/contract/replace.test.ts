import { v7 } from 'uuid';
import type { Enrollment } from '../../src/core/enrollment.ts';
import type { HostId } from '../../src/core/host.ts';
import type { Newcomer } from '../../src/store/port.ts';
import { anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');
const LATER = new Date('2026-11-24T12:00:00.001Z');

function newcomerFor({ identity }: { identity: { host_id: HostId } }, enrollment: Enrollment): Newcomer {
  const { key_id, public_key, machine_id_digest, sequence } = enrollment;
  return {
    host_id: identity.host_id,
    key: { id: key_id, public_key, added_at: AT },
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    sequence,
  };
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: a key takes the place of a host's others: they are revoked, its numbers and chain start anew, the report stays`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const before = await store.hosts.find(host.hostname);
    const newcomer = newcomerFor(host, anEnrollment({ sequence: 7 }));
    t.true(await store.hosts.replace(host.hostname, newcomer, AT));
    const after = await store.hosts.find(host.hostname);
    const identity = before?.identity ?? t.fail();
    const [old] = host.identity.keys;
    t.deepEqual(after, {
      ...before,
      hostname: host.hostname,
      identity: {
        ...identity,
        keys: [{ ...(old ?? t.fail()), revoked_at: AT }, newcomer.key],
        ...(newcomer.machine_id_digest === undefined ? {} : { machine_id_digest: newcomer.machine_id_digest }),
        sequence: 7,
        epoch: null,
        last: null,
      },
    });
    t.is((await store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 }, AT)).outcome, 'revoked');
    t.is((await store.hosts.spend({ key_id: newcomer.key.id, sequence: 8 }, AT)).outcome, 'spent');
    t.is((await store.trail.history(host.hostname, { limit: 5 })).length, 1);
    t.false(
      await store.hosts.storeReport(aReport(host, { sequence: report.sequence + 2 })),
      'the old key stores nothing',
    );
    const next = aReport(host, { key_id: newcomer.key.id, sequence: 9, trail: [] });
    t.true(await store.hosts.storeReport(next));
  });

  test(`${kind}: to replace again changes nothing; the first revocation's time stays`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    await store.hosts.revokeKey(host.key_id, AT);
    const newcomer = newcomerFor(host, anEnrollment());
    t.true(await store.hosts.replace(host.hostname, newcomer, LATER));
    const after = await store.hosts.find(host.hostname);
    t.deepEqual(after?.identity?.keys[0]?.revoked_at, AT);
    t.true(await store.hosts.replace(host.hostname, { ...newcomer, sequence: 1 }, LATER));
    t.deepEqual(await store.hosts.find(host.hostname), after);
    const third = newcomerFor(host, anEnrollment());
    t.true(await store.hosts.replace(host.hostname, third, LATER));
    t.false(await store.hosts.replace(host.hostname, newcomer, LATER), 'a revoked key does not come back');
    t.deepEqual(
      (await store.hosts.find(host.hostname))?.identity?.keys.map(({ id }) => id),
      [host.key_id, newcomer.key.id, third.key.id],
    );
  });

  test(`${kind}: a newcomer without a machine id leaves none behind`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const { machine_id_digest: _, ...newcomer } = newcomerFor(host, anEnrollment());
    t.true(await store.hosts.replace(host.hostname, newcomer, AT));
    t.is((await store.hosts.find(host.hostname))?.identity?.machine_id_digest, undefined);
  });

  test(`${kind}: a place is taken only in the host that was meant, and by a key of no other`, async (t) => {
    const store = await (await prepare(t)).open();
    const [host, other] = [await enrolledHost(store), await enrolledHost(store)];
    const newcomer = newcomerFor(host, anEnrollment());
    t.false(await store.hosts.replace('nobody', newcomer, AT));
    t.false(await store.hosts.replace(host.hostname, { ...newcomer, host_id: v7() as HostId }, AT));
    const [taken] = other.identity.keys;
    t.false(await store.hosts.replace(host.hostname, { ...newcomer, key: taken ?? t.fail() }, AT));
    await store.hosts.storeV1({ hostname: 'old', at: AT, plugins: { a: 1 }, trail: [] });
    t.false(await store.hosts.replace('old', newcomer, AT));
    t.deepEqual((await store.hosts.find(host.hostname))?.identity, host.identity);
    t.is((await store.hosts.findByKey(other.key_id))?.hostname, other.hostname);
  });

  test(`${kind}: a cleared chain lets the next report in, and leaves all else as it is`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    const before = await store.hosts.find(host.hostname);
    t.true(await store.hosts.clearChain(host.hostname, host.identity.host_id));
    const identity = before?.identity ?? t.fail();
    t.deepEqual(await store.hosts.find(host.hostname), {
      ...before,
      hostname: host.hostname,
      identity: { ...identity, last: null, epoch: null },
    });
    t.true(await store.hosts.storeReport(aReport(host, { sequence: report.sequence + 1, trail: [] })));
    t.false(await store.hosts.clearChain(host.hostname, v7() as HostId));
    t.false(await store.hosts.clearChain('nobody', host.identity.host_id));
  });
});
