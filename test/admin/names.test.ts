import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { backup } from '../../src/admin/backup.ts';
import type { AdminContext } from '../../src/admin/context.ts';
import { enrollmentApprove } from '../../src/admin/enrollment-approve.ts';
import { enrollmentReplace } from '../../src/admin/enrollment-replace.ts';
import { enrollmentRevoke } from '../../src/admin/enrollment-revoke.ts';
import { hostsForget } from '../../src/admin/hosts-forget.ts';
import { hostsHistory } from '../../src/admin/hosts-history.ts';
import { hostsLost } from '../../src/admin/hosts-lost.ts';
import { hostsShow } from '../../src/admin/hosts-show.ts';
import { issuesList } from '../../src/admin/issues-list.ts';
import { restore } from '../../src/admin/restore.ts';
import { anEnrollment, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore, type StoreKind } from '../support/stores.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const restoreAtOnce = (context: AdminContext) => restore(context, 0);

async function openIssues({ store }: AdminSite): Promise<string[]> {
  const names: string[] = [];
  for await (const { hostname, name } of store.issues.listOpen()) names.push(`${hostname} ${name}`);
  return names;
}

const reportV1 = ({ store }: AdminSite, hostname: string, value: number) =>
  store.hosts.storeV1({ hostname, at: NOW, plugins: { a: value }, trail: [] });

forEachStore((kind, test) => {
  async function withHost(t: ExecutionContext, store: StoreKind) {
    const site = await adminSite(t, store);
    const host = await enrolledHost(site.store, { hostname: 'Laptop7' });
    await site.store.hosts.storeReport(aReport(host));
    return { site, host };
  }

  test(`${kind}: an operator may write a host's name in any case`, async (t) => {
    const { site, host } = await withHost(t, kind);
    await site.store.issues.open('Laptop7', 'cloned-identity', NOW);
    t.like(await site.json(hostsShow, 'LAPTOP7'), { hostname: 'Laptop7' });
    t.regex((await site.run(hostsHistory, 'laptop7')).out, /plugins\.os_info/);
    for (const args of [[], ['--all']]) {
      t.regex((await site.run(issuesList, '--host', 'laptop7', ...args)).out, /Laptop7 +cloned-identity/);
    }
    t.like(await site.json(hostsLost, 'laptop7'), { hostname: 'Laptop7', lost_at: NOW.toISOString() });
    t.deepEqual((await site.store.hosts.find('Laptop7'))?.identity?.lost_at, NOW);
    t.like(await site.json(enrollmentReplace, 'laptop7', '--same-key', '--yes'), { hostname: 'Laptop7' });
    t.deepEqual(await openIssues(site), []);
    t.like(await site.json(enrollmentRevoke, 'laptop7', '--yes'), { key_id: host.key_id, hostname: 'Laptop7' });
    t.like(await site.json(hostsForget, 'LAPTOP7', '--yes'), { hostname: 'Laptop7', forgotten: true });
    t.is(await site.store.hosts.count(), 0);
    t.regex(await refusal(t, site.run(hostsShow, 'laptop7')), /cannot find a host named laptop7/);
  });

  test(`${kind}: of hosts whose names differ in case only the one is meant that is spelt so; else all are named`, async (t) => {
    const site = await adminSite(t, kind);
    await reportV1(site, 'Laptop7', 1);
    await reportV1(site, 'laptop7', 2);
    t.like(await site.json(hostsShow, 'laptop7'), { hostname: 'laptop7', plugins: { a: 2 } });
    for (const command of [hostsShow, hostsForget, hostsLost, enrollmentReplace]) {
      t.regex(
        await refusal(t, site.run(command, 'LAPTOP7')),
        /^cannot tell which host is meant: Laptop7 or laptop7; write its name in that very case$/,
      );
    }
    t.is(await site.store.hosts.count(), 2);
  });

  test(`${kind}: a machine takes the place of a host that spells their name otherwise`, async (t) => {
    const { site, host } = await withHost(t, kind);
    const { host_id } = host.identity;
    const newcomer = anEnrollment({ hostname: 'laptop7', host_id, conflict: 'v2' });
    await site.store.enrollments.insert(newcomer);
    await site.store.issues.open('Laptop7', 'duplicate-hostname', NOW);
    t.regex(
      await refusal(t, site.run(enrollmentApprove, 'LAPTOP7', '--yes')),
      /Laptop7 is another machine's name already.*enrollment replace Laptop7 -- /,
    );
    t.like(await site.json(enrollmentReplace, 'LAPTOP7', '--yes'), { hostname: 'Laptop7', key_id: newcomer.key_id });
    t.is((await site.store.hosts.findByKey(newcomer.key_id))?.hostname, 'Laptop7');
    t.deepEqual(await openIssues(site), []);
  });

  test(`${kind}: the issue ends with the last machine that waits, however it spells the name`, async (t) => {
    const { site } = await withHost(t, kind);
    const [one, two] = [anEnrollment({ hostname: 'laptop7' }), anEnrollment({ hostname: 'LAPTOP7' })];
    for (const each of [one, two]) await site.store.enrollments.insert({ ...each, conflict: 'v2' });
    await site.store.issues.open('Laptop7', 'duplicate-hostname', NOW);
    await site.run(enrollmentRevoke, '--yes', '--', one.key_id);
    t.deepEqual(await openIssues(site), ['Laptop7 duplicate-hostname']);
    await site.run(enrollmentRevoke, '--yes', '--', two.key_id);
    t.deepEqual(await openIssues(site), []);
  });

  test(`${kind}: a machine takes over what the original client reported under its name in another case`, async (t) => {
    const site = await adminSite(t, kind);
    await reportV1(site, 'Laptop7', 1);
    await site.store.enrollments.insert(anEnrollment({ hostname: 'laptop7', conflict: 'v1' }));
    const { out } = await site.run(enrollmentApprove, 'laptop7', '--yes');
    t.regex(out, /Laptop7 is known from the original client, with its history/);
    const host = await site.store.hosts.find('Laptop7');
    t.is(host?.plugins?.['a'], 1);
    t.truthy(host?.identity);
    t.is(await site.store.hosts.count(), 1);
  });

  test(`${kind}: a restored backup knows that a machine which enrolled since asked for a host's name in another case`, async (t) => {
    const { site } = await withHost(t, kind);
    await reportV1(site, 'Old-1', 1);
    const file = join(site.folder, 'backup.gz');
    await site.run(backup, file);
    const waiting = ['laptop7', 'old-1', 'new-1'].map((hostname) => anEnrollment({ hostname }));
    for (const each of waiting) await site.store.enrollments.insert(each);
    await site.run(restoreAtOnce, '--yes', file);
    const restored = await Promise.all(waiting.map(({ key_id }) => site.store.enrollments.find(key_id)));
    t.deepEqual(
      restored.map((each) => [each?.status, each?.conflict]),
      [
        ['pending', 'v2'],
        ['pending', 'v1'],
        ['pending', undefined],
      ],
    );
  });

  test(`${kind}: a name that two hosts of v1 have but for case is given to nobody until one is forgotten`, async (t) => {
    const site = await adminSite(t, kind);
    await reportV1(site, 'Laptop7', 1);
    await reportV1(site, 'laptop7', 2);
    const enrollment = anEnrollment({ hostname: 'laptop7', conflict: 'v1' });
    await site.store.enrollments.insert(enrollment);
    t.regex(
      await refusal(t, site.run(enrollmentApprove, 'laptop7', '--yes')),
      /^cannot approve .*: Laptop7 and laptop7 are hosts known from the original client whose names differ in case only/,
    );
    t.is((await site.store.enrollments.find(enrollment.key_id))?.status, 'pending');
    await site.run(hostsForget, 'Laptop7', '--yes');
    await site.run(enrollmentApprove, 'laptop7', '--yes');
    t.is((await site.store.hosts.findByKey(enrollment.key_id))?.plugins?.['a'], 2);
  });
});
