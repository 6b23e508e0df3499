import { v7 } from 'uuid';
import { identityOf } from '../../src/core/enrollment.ts';
import type { HostId } from '../../src/core/host.ts';
import { anEnrollment, aReport, aToken, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';

const AT = new Date('2026-11-23T12:00:00.001Z');

forEachStore((kind, test, prepare) => {
  test(`${kind}: an identity makes a new host, found by name, id and key`, async (t) => {
    const store = await (await prepare(t)).open();
    const enrollment = anEnrollment();
    const identity = identityOf(enrollment, AT);
    t.true(await store.hosts.attach(enrollment.hostname, identity, { adopt: false }));
    const host = { hostname: enrollment.hostname, identity };
    t.deepEqual(await store.hosts.find(enrollment.hostname), host);
    t.deepEqual(await store.hosts.findById(identity.host_id), host);
    t.deepEqual(await store.hosts.findByKey(enrollment.key_id), host);
    t.is(await store.hosts.count(), 1);
    t.is(await store.hosts.find('nobody'), undefined);
    t.is(await store.hosts.findById(v7() as HostId), undefined);
    t.is(await store.hosts.findByKey(anEnrollment().key_id), undefined);
  });

  test(`${kind}: a key is found alone, with the name of its host, each of several and a revoked one too`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const other = anEnrollment();
    await store.hosts.replace(
      host.hostname,
      {
        host_id: host.identity.host_id,
        key: { id: other.key_id, public_key: other.public_key, added_at: AT },
        sequence: 1,
      },
      AT,
    );
    const { keys } = (await store.hosts.findById(host.identity.host_id))?.identity ?? t.fail();
    t.is(keys.length, 2);
    for (const { id, public_key } of keys) {
      t.deepEqual(await store.hosts.findKey(id), { public_key, hostname: host.hostname });
    }
    t.is(await store.hosts.findKey(anEnrollment().key_id), undefined);
  });

  test(`${kind}: all keys can be had at once, of however many hosts`, async (t) => {
    const store = await (await prepare(t)).open();
    const hosts = await Promise.all(Array.from({ length: 230 }, () => enrolledHost(store)));
    const held = new Map<string, string>();
    for await (const { key_id, public_key, hostname } of store.hosts.keys()) {
      t.false(held.has(key_id));
      held.set(key_id, `${public_key} ${hostname}`);
    }
    const expected = hosts.flatMap(({ hostname, identity }) =>
      identity.keys.map(({ id, public_key }): [string, string] => [id, `${public_key} ${hostname}`]),
    );
    t.deepEqual([...held].sort(), expected.sort());
  });

  test(`${kind}: a host of v1 is taken over, with all it has, only where that is asked for`, async (t) => {
    const store = await (await prepare(t)).open();
    const enrollment = anEnrollment({ hostname: 'old-laptop' });
    const identity = identityOf(enrollment, AT);
    await store.hosts.storeV1({ hostname: 'old-laptop', at: AT, plugins: { sshd: 1 }, trail: [] });
    const before = await store.hosts.find('old-laptop');
    t.false(await store.hosts.attach('old-laptop', identity, { adopt: false }));
    t.deepEqual(await store.hosts.find('old-laptop'), before);
    t.true(await store.hosts.attach('old-laptop', identity, { adopt: true }));
    t.deepEqual(await store.hosts.find('old-laptop'), { ...(before ?? t.fail()), identity });
  });

  for (const adopt of [true, false]) {
    test(`${kind}: the name of a host of v2 is not given away (adopt: ${adopt})`, async (t) => {
      const store = await (await prepare(t)).open();
      const host = await enrolledHost(store);
      const other = identityOf(anEnrollment(), AT);
      t.false(await store.hosts.attach(host.hostname, other, { adopt }));
      t.deepEqual((await store.hosts.find(host.hostname))?.identity, host.identity);
      t.true(
        await store.hosts.attach(host.hostname, host.identity, { adopt }),
        'its own identity again is no conflict',
      );
    });

    test(`${kind}: a key speaks for one host only (adopt: ${adopt})`, async (t) => {
      const store = await (await prepare(t)).open();
      const host = await enrolledHost(store);
      t.false(await store.hosts.attach('another', { ...host.identity, host_id: v7() as HostId }, { adopt }));
      t.is((await store.hosts.findByKey(host.key_id))?.hostname, host.hostname);
      t.is(await store.hosts.find('another'), undefined);
    });
  }

  test(`${kind}: an enrolment is kept once for each key, and goes from pending to approved to revoked`, async (t) => {
    const store = await (await prepare(t)).open();
    const enrollment = anEnrollment({ conflict: 'v1' });
    t.true(await store.enrollments.insert(enrollment));
    t.false(await store.enrollments.insert({ ...enrollment, hostname: 'other' }));
    t.deepEqual(await store.enrollments.find(enrollment.key_id), enrollment);
    t.false(await store.enrollments.everApproved(enrollment.hostname));
    t.true(await store.enrollments.approve(enrollment.key_id, AT));
    t.false(await store.enrollments.approve(enrollment.key_id, AT));
    t.true(await store.enrollments.everApproved(enrollment.hostname));
    t.true(await store.enrollments.revoke(enrollment.key_id, AT, 'stolen'));
    t.false(await store.enrollments.revoke(enrollment.key_id, AT, 'again'));
    t.false(await store.enrollments.approve(enrollment.key_id, AT));
    const revoked = { ...enrollment, status: 'revoked', approved_at: AT, revoked_at: AT, revoked_why: 'stolen' };
    t.deepEqual(await store.enrollments.list(), [revoked as typeof enrollment]);
    t.true(await store.enrollments.everApproved(enrollment.hostname), 'for good');
    t.is(await store.enrollments.find(anEnrollment().key_id), undefined);
  });

  test(`${kind}: a token enrols as many keys as it says, each counted once`, async (t) => {
    const store = await (await prepare(t)).open();
    const token = aToken({ uses: 2, pattern: 'web-*', note: 'for the web' });
    await store.tokens.insert(token);
    const [a, b, c] = [anEnrollment().key_id, anEnrollment().key_id, anEnrollment().key_id];
    t.deepEqual(await store.tokens.use(token.hash, a, AT), { outcome: 'used', token: { ...token, used_by: [a] } });
    t.deepEqual(await store.tokens.use(token.hash, a, AT), {
      outcome: 'used-before',
      token: { ...token, used_by: [a] },
    });
    t.is((await store.tokens.use(token.hash, b, AT)).outcome, 'used');
    t.is((await store.tokens.use(token.hash, c, AT)).outcome, 'used-up');
    t.deepEqual(await store.tokens.find(token.hash), { ...token, used_by: [a, b] });
    t.deepEqual(await store.tokens.list(), [{ ...token, used_by: [a, b] }]);
  });

  test(`${kind}: an expired token is of use only to who used it before, a revoked one to nobody`, async (t) => {
    const store = await (await prepare(t)).open();
    const token = aToken({ uses: 5 });
    await store.tokens.insert(token);
    const [a, b] = [anEnrollment().key_id, anEnrollment().key_id];
    await store.tokens.use(token.hash, a, AT);
    t.is((await store.tokens.use(token.hash, b, token.expires_at)).outcome, 'expired');
    t.is((await store.tokens.use(token.hash, a, token.expires_at)).outcome, 'used-before');
    t.true(await store.tokens.revoke(token.id, AT));
    t.false(await store.tokens.revoke(token.id, AT));
    t.false(await store.tokens.revoke(v7(), AT));
    t.is((await store.tokens.use(token.hash, a, AT)).outcome, 'revoked');
    t.deepEqual((await store.tokens.find(token.hash))?.revoked_at, AT);
    t.is((await store.tokens.use('0'.repeat(64), a, AT)).outcome, 'unknown');
    t.is(await store.tokens.find('0'.repeat(64)), undefined);
  });

  test(`${kind}: a forgotten host is gone, its issues are closed, its trail stays`, async (t) => {
    const store = await (await prepare(t)).open();
    const host = await enrolledHost(store);
    const report = aReport(host);
    await store.hosts.storeReport(report);
    await store.issues.open(host.hostname, 'disk', AT);
    t.true(await store.hosts.forget(host.hostname, AT));
    t.false(await store.hosts.forget(host.hostname, AT));
    t.is(await store.hosts.find(host.hostname), undefined);
    t.is(await store.hosts.findByKey(host.key_id), undefined);
    t.deepEqual(await store.hosts.spend({ key_id: host.key_id, sequence: report.sequence + 1 }, AT), {
      outcome: 'unknown',
    });
    const [issue] = await store.issues.history({ limit: 5 });
    t.deepEqual(issue?.closed_at, AT);
    t.is((await store.trail.history(host.hostname, { limit: 5 })).length, 1);
  });
});
