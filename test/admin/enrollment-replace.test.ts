import test, { type ExecutionContext } from 'ava';
import { enrollmentReplace } from '../../src/admin/enrollment-replace.ts';
import { enrollmentRevoke } from '../../src/admin/enrollment-revoke.ts';
import { anEnrollment, enrolledHost } from '../support/documents.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { forEachStore, type StoreKind } from '../support/stores.ts';
import { enrolledClient, makeToken, v2Client } from '../support/v2-client.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const REPORT = { 'plugins.os_info': { distname: 'Debian', version: '12' }, 'commands.who': { output: 'nobody' } };

async function started(t: ExecutionContext, kind: StoreKind): Promise<{ site: AdminSite; server: TestServer }> {
  const site = await adminSite(t, kind);
  return { site, server: await startTestServer(t, { store: site.store }) };
}

async function openIssues({ store }: AdminSite): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names;
}

forEachStore((kind, test) => {
  test(`${kind}: a machine that was installed anew takes its place: same id, history goes on, the old key is refused`, async (t) => {
    const { site, server } = await started(t, kind);
    const old = await enrolledClient(server, 'lap');
    await old.submit(REPORT);
    const fresh = v2Client({ ...server, hostname: 'lap' });
    const enrolled = await fresh.enroll(await makeToken(site.store));
    const before = await site.store.hosts.find('lap');
    t.is(enrolled.json['status'], 'pending');
    t.is(
      String(enrolled.json['host_id']),
      String(before?.identity?.host_id),
      'the id is the one of the place that it can take',
    );
    t.is((await fresh.submit(REPORT)).json['error'], 'pending', 'a new installation is no clone');
    t.deepEqual(await openIssues(site), ['lap duplicate-hostname']);
    const { out } = await site.run(enrollmentReplace, 'lap', '--yes');
    for (const shown of [old.key.id, fresh.key.id, 'machine id']) t.true(out.includes(shown), shown);
    t.deepEqual(await openIssues(site), []);
    t.is((await fresh.submit({ ...REPORT, 'plugins.os_info': { distname: 'Debian', version: '13' } })).status, 200);
    t.is((await old.submit(REPORT)).json['error'], 'revoked-key');
    const after = await site.store.hosts.find('lap');
    t.is(after?.identity?.host_id, before?.identity?.host_id);
    t.deepEqual(
      (await site.store.trail.history('lap', { limit: 5 })).map(({ key }) => key),
      ['plugins.os_info.version'],
    );
    t.is((await site.store.enrollments.find(fresh.key.id))?.status, 'approved');
    t.is((await site.store.enrollments.find(old.key.id))?.status, 'revoked');
    t.deepEqual(
      (await site.identities.read()).events.map(({ event, key_id, host_id }) => [event, key_id, host_id]),
      [
        ['revoked', old.key.id, undefined],
        ['approved', fresh.key.id, after?.identity?.host_id],
      ],
    );
  });

  test(`${kind}: with --same-key the next report of a cloned host is taken, once`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    await client.submit(REPORT);
    const clone = client.chain;
    await client.submit(REPORT, { quiet: true });
    t.is((await client.submit(REPORT, { quiet: true, chain: clone })).json['error'], 'forked');
    t.deepEqual(await openIssues(site), ['lap cloned-identity']);
    const { out } = await site.run(enrollmentReplace, 'lap', '--same-key', '--yes');
    t.regex(out, /the next report of lap is taken/);
    t.deepEqual(await openIssues(site), []);
    t.is((await client.submit(REPORT, { quiet: true, chain: clone })).status, 200);
    t.is(server.events('submit.chain-restarted').length, 1);
    t.is((await client.submit(REPORT, { quiet: true })).status, 200);
    t.is(server.events('submit.checked-in').length, 2);
    t.is((await client.submit(REPORT, { quiet: true, chain: clone })).json['error'], 'forked');
    t.deepEqual(await openIssues(site), ['lap cloned-identity'], 'a clone that is still there is found out again');
    t.like((await site.identities.read()).events.at(-1), { event: 'chain-cleared', hostname: 'lap' });
  });

  test(`${kind}: a clone that enrols anew clears the issue of the host whose place it takes`, async (t) => {
    const { site, server } = await started(t, kind);
    const client = await enrolledClient(server, 'lap');
    await client.submit(REPORT);
    await client.submit(REPORT, { quiet: true, chain: 'stale' });
    const fresh = v2Client({ ...server, hostname: 'lap' });
    await fresh.enroll(await makeToken(site.store));
    t.deepEqual(await openIssues(site), ['lap cloned-identity', 'lap duplicate-hostname']);
    t.deepEqual(await site.json(enrollmentReplace, '--yes', 'lap', '--', fresh.key.id), {
      hostname: 'lap',
      host_id: (await site.store.hosts.find('lap'))?.identity?.host_id,
      key_id: fresh.key.id,
      revoked: [client.key.id],
    });
    t.deepEqual(await openIssues(site), []);
    t.is((await fresh.submit(REPORT)).status, 200);
    t.is((await fresh.submit(REPORT, { quiet: true })).status, 200);
  });

  test(`${kind}: a replacement that stopped half way can be said again`, async (t) => {
    const { site, server } = await started(t, kind);
    const old = await enrolledClient(server, 'lap');
    const fresh = v2Client({ ...server, hostname: 'lap' });
    await fresh.enroll(await makeToken(site.store));
    const { approve } = site.store.enrollments;
    const { replace } = site.store.hosts;
    const cut = async (): Promise<never> => {
      throw new Error('the machine lost power');
    };
    site.store.hosts.replace = cut;
    await t.throwsAsync(site.run(enrollmentReplace, 'lap', '--yes'), { message: 'the machine lost power' });
    site.store.hosts.replace = replace;
    site.store.enrollments.approve = cut;
    await t.throwsAsync(site.run(enrollmentReplace, 'lap', '--yes'), { message: 'the machine lost power' });
    site.store.enrollments.approve = approve;
    await site.run(enrollmentReplace, 'lap', '--yes');
    t.is((await fresh.submit(REPORT)).status, 200);
    t.is((await old.submit(REPORT)).json['error'], 'revoked-key');
    t.deepEqual(await openIssues(site), []);
  });

  test(`${kind}: where several wait, the name stays contested until the others are revoked`, async (t) => {
    const { site, server } = await started(t, kind);
    await enrolledClient(server, 'lap');
    const [one, two] = [v2Client({ ...server, hostname: 'lap' }), v2Client({ ...server, hostname: 'lap' })];
    for (const each of [one, two]) await each.enroll(await makeToken(site.store));
    const said = await refusal(t, site.run(enrollmentReplace, 'lap', '--yes'));
    for (const { key } of [one, two]) t.true(said.includes(key.id));
    await site.run(enrollmentReplace, '--yes', '--', 'lap', one.key.id);
    t.deepEqual(await openIssues(site), ['lap duplicate-hostname']);
    await site.run(enrollmentRevoke, '--yes', '--', two.key.id);
    t.deepEqual(await openIssues(site), []);
    t.is((await one.submit(REPORT)).status, 200);
    t.is((await two.enroll(await makeToken(site.store))).json['error'], 'revoked-key');
  });
});

test('what cannot be replaced is named, with what to do', async (t) => {
  const site = await adminSite(t);
  await site.store.hosts.storeV1({ hostname: 'old', at: NOW, plugins: { a: 1 }, trail: [] });
  const { key_id } = await enrolledHost(site.store, { hostname: 'lap' });
  await site.store.enrollments.insert(anEnrollment({ hostname: 'other' }));
  t.regex(await refusal(t, site.run(enrollmentReplace, 'nobody')), /cannot find a host named nobody/);
  t.regex(await refusal(t, site.run(enrollmentReplace, 'old')), /speaks the original protocol; .*enrollment approve/);
  t.regex(await refusal(t, site.run(enrollmentReplace, 'lap')), /cannot find a machine that waits .* --same-key/);
  t.regex(
    await refusal(t, site.run(enrollmentReplace, '--same-key', '--', 'lap', 'abc')),
    /leave out KEY or --same-key/,
  );
  await site.run(enrollmentRevoke, 'lap', '--yes');
  t.regex(await refusal(t, site.run(enrollmentReplace, 'lap', '--same-key')), /its keys are revoked/);
  t.truthy((await site.store.hosts.findByKey(key_id))?.identity);
});

test('without a terminal and --yes no place is taken', async (t) => {
  const site = await adminSite(t);
  const host = await enrolledHost(site.store, { hostname: 'lap' });
  await site.store.enrollments.insert(anEnrollment({ hostname: 'lap', conflict: 'v2' }));
  t.regex(await refusal(t, site.run(enrollmentReplace, 'lap')), /without a terminal: use --yes/);
  t.regex(await refusal(t, site.run(enrollmentReplace, 'lap', '--same-key')), /without a terminal: use --yes/);
  t.deepEqual((await site.store.hosts.find('lap'))?.identity, host.identity);
});
