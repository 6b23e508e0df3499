import test from 'ava';
import { enrollmentApprove } from '../../src/admin/enrollment-approve.ts';
import { enrollmentList } from '../../src/admin/enrollment-list.ts';
import { enrollmentRevoke } from '../../src/admin/enrollment-revoke.ts';
import { hostsForget } from '../../src/admin/hosts-forget.ts';
import { identityOf } from '../../src/core/enrollment.ts';
import { anEnrollment, aToken, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { adminSite, NOW, refusal } from './admin-site.ts';

forEachStore((kind, test) => {
  test(`${kind}: a machine that waits is let in, by its name or the beginning of its key`, async (t) => {
    const site = await adminSite(t, kind);
    const [one, two] = [anEnrollment({ hostname: 'one' }), anEnrollment({ hostname: 'two' })];
    for (const each of [one, two]) await site.store.enrollments.insert(each);
    const { out } = await site.run(enrollmentApprove, 'one', '--yes');
    for (const shown of [one.key_id, one.machine_id_digest ?? '-', one.address]) t.true(out.includes(shown), shown);
    await site.run(enrollmentApprove, '--yes', '--', two.key_id.slice(0, 12));
    for (const each of [one, two]) {
      t.deepEqual((await site.store.hosts.find(each.hostname))?.identity, identityOf(each, NOW));
      t.is((await site.store.enrollments.find(each.key_id))?.status, 'approved');
    }
    t.deepEqual(
      (await site.identities.read()).events.map(({ event, key_id, hostname }) => [event, key_id, hostname]),
      [one, two].map(({ key_id, hostname }) => ['approved', key_id, hostname]),
    );
  });

  test(`${kind}: a machine takes over what the original client reported under its name`, async (t) => {
    const site = await adminSite(t, kind);
    await site.store.hosts.storeV1({ hostname: 'old', at: NOW, plugins: { a: 1 }, trail: [] });
    await site.store.enrollments.insert(anEnrollment({ hostname: 'old', conflict: 'v1' }));
    const { out } = await site.run(enrollmentApprove, 'old', '--yes');
    t.regex(out, /old is known from the original client, with its history/);
    const host = await site.store.hosts.find('old');
    t.is(host?.plugins?.['a'], 1);
    t.truthy(host?.identity);
  });

  test(`${kind}: a second machine under a name is refused until the first is ended`, async (t) => {
    const site = await adminSite(t, kind);
    const first = await enrolledHost(site.store, { hostname: 'lap' });
    const second = anEnrollment({ hostname: 'lap', conflict: 'v2' });
    await site.store.enrollments.insert(second);
    await site.store.issues.open('lap', 'duplicate-hostname', NOW);
    t.regex(
      await refusal(t, site.run(enrollmentApprove, '--yes', '--', second.key_id)),
      /^cannot approve .*: lap is another machine's name already\. If this one takes its place, say so: penguindome enrollment replace lap -- /,
    );
    t.is((await site.store.hosts.find('lap'))?.identity?.host_id, first.identity.host_id);
    await site.run(hostsForget, 'lap', '--yes');
    await site.run(enrollmentApprove, '--yes', '--', second.key_id);
    t.is((await site.store.hosts.find('lap'))?.identity?.host_id, second.host_id);
    t.is((await site.store.enrollments.find(first.key_id))?.status, 'revoked');
    for await (const issue of site.store.issues.listOpen()) t.fail(`${issue.name} is still open`);
  });

  test(`${kind}: an approval that stopped half way can be said again`, async (t) => {
    const site = await adminSite(t, kind);
    const enrollment = anEnrollment({ hostname: 'lap' });
    await site.store.enrollments.insert(enrollment);
    await site.store.hosts.attach('lap', identityOf(enrollment, NOW), { adopt: false });
    await site.run(enrollmentApprove, 'lap', '--yes');
    t.is((await site.store.enrollments.find(enrollment.key_id))?.status, 'approved');
  });

  test(`${kind}: a revoked key is refused from then on, and a backup cannot bring it back`, async (t) => {
    const site = await adminSite(t, kind);
    const host = await enrolledHost(site.store, { hostname: 'lap' });
    await site.run(enrollmentRevoke, 'lap', '--why', 'stolen', '--yes');
    t.like(await site.store.enrollments.find(host.key_id), {
      status: 'revoked',
      revoked_why: 'stolen',
      revoked_at: NOW,
    });
    const spent = await site.store.hosts.spend(
      { key_id: host.key_id, sequence: host.identity.sequence + 1 },
      new Date(),
    );
    t.is(spent.outcome, 'revoked');
    const { events } = await site.identities.read();
    t.like(events[0], { event: 'revoked', key_id: host.key_id, why: 'stolen' });
  });

  test(`${kind}: a revoked token lets nobody in`, async (t) => {
    const site = await adminSite(t, kind);
    const token = aToken({ expires_at: new Date(NOW.getTime() + 1000) });
    await site.store.tokens.insert(token);
    await site.run(enrollmentRevoke, token.id, '--yes');
    t.is((await site.store.tokens.use(token.hash, anEnrollment().key_id, NOW)).outcome, 'revoked');
    t.regex((await site.run(enrollmentList)).out, /revoked/);
  });
});

test('what is meant must be one', async (t) => {
  const site = await adminSite(t);
  const [one, two] = [anEnrollment({ hostname: 'lap' }), anEnrollment({ hostname: 'lap' })];
  for (const each of [one, two]) await site.store.enrollments.insert(each);
  const approve = await refusal(t, site.run(enrollmentApprove, 'lap', '--yes'));
  const revoke = await refusal(t, site.run(enrollmentRevoke, 'lap', '--yes'));
  for (const said of [approve, revoke]) {
    t.regex(said, /^cannot tell which one is meant/);
    for (const { key_id } of [one, two]) t.true(said.includes(key_id));
  }
});

test('what is not there is named, with where to look', async (t) => {
  const site = await adminSite(t);
  const { key_id } = await enrolledHost(site.store, { hostname: 'lap' });
  t.regex(
    await refusal(t, site.run(enrollmentApprove, 'nobody')),
    /cannot find an enrolment of nobody; .*list --pending/,
  );
  t.is(
    await refusal(t, site.run(enrollmentApprove, 'lap')),
    `cannot approve lap: its key ${key_id} is approved already`,
  );
  t.regex(await refusal(t, site.run(enrollmentRevoke, 'nobody')), /cannot find a key, token or host nobody/);
  await site.store.enrollments.insert(anEnrollment());
  for (const command of [enrollmentApprove, enrollmentRevoke]) {
    t.regex(await refusal(t, site.run(command, '--yes', '')), /^cannot find .* ""[ ;]/, 'an empty name means nobody');
  }
});

test('without a terminal and --yes nothing happens', async (t) => {
  const site = await adminSite(t);
  const enrollment = anEnrollment({ hostname: 'lap' });
  await site.store.enrollments.insert(enrollment);
  t.regex(await refusal(t, site.run(enrollmentApprove, 'lap')), /without a terminal: use --yes/);
  t.regex(await refusal(t, site.run(enrollmentRevoke, 'lap')), /without a terminal: use --yes/);
  t.is((await site.store.enrollments.find(enrollment.key_id))?.status, 'pending');
});

test('the list shows who waits, and why', async (t) => {
  const site = await adminSite(t);
  await site.store.enrollments.insert(anEnrollment({ hostname: 'waits', conflict: 'v1' }));
  await enrolledHost(site.store, { hostname: 'is-in' });
  const all = await site.run(enrollmentList);
  t.regex(all.out, /is-in +approved/);
  t.regex(all.out, /waits +pending \(the name is taken: v1\)/);
  t.notRegex((await site.run(enrollmentList, '--pending')).out, /is-in/);
});
