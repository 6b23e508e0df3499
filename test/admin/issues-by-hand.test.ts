import test from 'ava';
import type { Command } from 'commander';
import type { AdminContext } from '../../src/admin/context.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import { issuesClose } from '../../src/admin/issues-close.ts';
import { issuesList } from '../../src/admin/issues-list.ts';
import { issuesOpen } from '../../src/admin/issues-open.ts';
import { issuesSnooze } from '../../src/admin/issues-snooze.ts';
import { issuesSuspend } from '../../src/admin/issues-suspend.ts';
import { issuesUnsnooze } from '../../src/admin/issues-unsnooze.ts';
import { issuesUnsuspend } from '../../src/admin/issues-unsuspend.ts';
import { days, hours } from '../../src/core/duration.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

/** Two hosts, each with two issues. */
async function siteOf(t: Parameters<typeof adminSite>[0]): Promise<AdminSite> {
  const site = await adminSite(t);
  for (const hostname of ['Lap-1', 'lap-2']) {
    await site.store.hosts.storeV1({ hostname, at: NOW, plugins: { a: 1 }, trail: [] });
    for (const name of ['firewall-disabled', 'own']) await site.store.issues.openByHand(hostname, name, NOW);
  }
  return site;
}

async function open(site: AdminSite): Promise<string[]> {
  const found: string[] = [];
  for await (const { hostname, name } of site.store.issues.listOpen()) found.push(`${hostname} ${name}`);
  return found;
}

for (const [verb, command] of [
  ['snooze', issuesSnooze],
  ['unsnooze', issuesUnsnooze],
  ['close', issuesClose],
] satisfies [string, (context: AdminContext) => Command][]) {
  test(`to ${verb} everything takes --all`, async (t) => {
    const site = await siteOf(t);
    const message = await refusal(t, site.run(command));
    t.is(
      message,
      `cannot ${verb} every issue of every host unless --all says so; choose some by --host or --issue-name`,
    );
    t.is((await open(site)).length, 4);
    await site.run(command, '--all');
  });
}

test('issues are snoozed for a day, or as long as is said, and unsnoozed', async (t) => {
  const site = await siteOf(t);
  const { out } = await site.run(issuesSnooze, '--host', 'lap-1');
  t.is(
    out,
    'Lap-1 firewall-disabled: snoozed until 2026-11-24 12:00Z\nLap-1 own: snoozed until 2026-11-24 12:00Z\n',
    'however the name is spelt',
  );
  await site.run(issuesSnooze, '--issue-name', 'own', '--hours', '30');
  await site.run(issuesSnooze, '--host', 'lap-2', '--issue-name', 'firewall-disabled', '--days', '3');
  const ends = async () => {
    const found: (number | undefined)[] = [];
    for await (const { unsnooze_at } of site.store.issues.listOpen()) {
      found.push(unsnooze_at === undefined ? undefined : unsnooze_at.getTime() - NOW.getTime());
    }
    return found;
  };
  t.deepEqual(await ends(), [days(1), hours(30), days(3), hours(30)]);
  t.regex((await site.run(issuesUnsnooze, '--all')).out, /^(.* no longer snoozed\n){4}$/);
  t.deepEqual(await site.run(issuesUnsnooze, '--all'), { out: '', err: 'no such issue is snoozed\n' });
  t.deepEqual(await site.json(issuesSnooze, '--host', 'nobody'), []);
});

test('a snooze takes days or hours, as whole numbers that are not beyond all bounds', async (t) => {
  const site = await siteOf(t);
  t.regex(await refusal(t, site.run(issuesSnooze, '--all', '--days', '1', '--hours', '1')), /--days together with/);
  t.regex(await refusal(t, site.run(issuesSnooze, '--all', '--days', '3651')), /longer than 3650 days/);
  await t.throwsAsync(site.run(issuesSnooze, '--all', '--days', '0'), { message: /whole number of 1 or more/ });
});

test('issues are closed by host and by name, and stay so', async (t) => {
  const site = await siteOf(t);
  t.is((await site.run(issuesClose, '--host', 'LAP-1', '--issue-name', 'own')).out, 'Lap-1 own: closed\n');
  t.deepEqual(await site.json(issuesClose, '--issue-name', 'own'), [{ hostname: 'lap-2', name: 'own' }]);
  t.deepEqual(await site.run(issuesClose, '--issue-name', 'own'), { out: '', err: 'no such issue is open\n' });
  t.deepEqual(await open(site), ['Lap-1 firewall-disabled', 'lap-2 firewall-disabled']);
  await site.run(issuesClose, '--all');
  t.deepEqual(await open(site), []);
});

test('issues are opened by hand, of hosts that are known', async (t) => {
  const site = await siteOf(t);
  t.is(
    (await site.run(issuesOpen, '--host', 'lap-1', 'lap-2', '--issue-name', 'return-it', 'own')).out,
    'Lap-1 return-it: opened\nLap-1 own: open already\nlap-2 return-it: opened\nlap-2 own: open already\n',
  );
  t.regex(await refusal(t, site.run(issuesOpen, '--host', 'lap-3', '--issue-name', 'own')), /cannot find a host named/);
  t.regex(await refusal(t, site.run(issuesOpen, '--host', 'lap-1', '--issue-name', 'A b')), /lower-case letters/);
  await t.throwsAsync(site.run(issuesOpen, '--host', 'lap-1'), { message: /--issue-name/ });
  t.is((await open(site)).length, 6);
});

test('hosts are suspended and unsuspended, all or none', async (t) => {
  const site = await siteOf(t);
  t.regex(await refusal(t, site.run(issuesSuspend, 'lap-1', 'lap-3')), /cannot find a host named lap-3/);
  t.is((await site.store.hosts.find('Lap-1'))?.suspended, undefined);
  const both = await site.run(issuesSuspend, 'lap-1', 'lap-2');
  t.is(both.out, 'Lap-1: suspended until it next reports\nlap-2: suspended until it next reports\n');
  t.is((await site.run(issuesSuspend, 'lap-1')).out, 'Lap-1: suspended already\n');
  t.is((await site.run(issuesUnsuspend, 'lap-1')).out, 'Lap-1: no longer suspended\n');
  t.deepEqual(await site.json(issuesUnsuspend, 'lap-1', 'lap-2'), [
    { hostname: 'Lap-1', suspended: false, changed: false },
    { hostname: 'lap-2', suspended: false, changed: true },
  ]);
});

test('what an audit does not print is counted, with what shows it', async (t) => {
  const site = await siteOf(t);
  await site.run(issuesSnooze, '--host', 'lap-1', '--issue-name', 'own');
  await site.run(issuesSuspend, 'lap-2');
  const first = await site.run(issuesAudit, '--issue-name', 'own', 'firewall-disabled');
  t.regex(first.out, /^Lap-1\n {2}firewall-disabled: [^\n]+opened by hand, /);
  const tail = (text: string) => text.split('\n').slice(-3, -1);
  t.regex(tail(first.out)[0] ?? '', /^1 open on 1 host; opened \d+, closed 0$/);
  t.is(
    tail(first.out)[1],
    '3 more open, not shown: 2 of suspended hosts (--ignore-suspended), 1 snoozed (--ignore-snoozed)',
  );
  const second = await site.run(issuesAudit, '--issue-name', 'own', 'firewall-disabled');
  t.regex(
    second.out,
    /^nothing to tell; opened 0, closed 0\n4 more open.*, 1 told already within their alert frequency/,
  );
  const shown = async (...flags: string[]) =>
    (await site.run(issuesAudit, '--issue-name', 'own', 'firewall-disabled', ...flags)).out.match(/^ {2}\S+:/gm)
      ?.length ?? 0;
  t.is(await shown('--display-recent', '--no-update-recent'), 1);
  t.is(await shown('--full', '--host', 'lap-1'), 2);
  t.is(await shown('--full', '--ignore-suspended'), 4);
  t.is(await shown('--ignore-snoozed', '--nodisplay-recent'), 0, 'they were printed, and marked, a moment ago');
  t.is((await site.run(issuesList)).out.match(/ own /g)?.length, 2);
});

test('with --json an audit gives all that is open, and why some is not told', async (t) => {
  const site = await siteOf(t);
  await site.run(issuesSnooze, '--host', 'lap-1', '--issue-name', 'own');
  const audit = () => site.json(issuesAudit, '--issue-name', 'own', '--no-update-recent');
  t.like(await audit(), {
    marked: false,
    hidden: { snoozed: 1, recent: 0 },
    issues: [
      { hostname: 'Lap-1', name: 'own', hidden_by: 'snoozed' },
      { hostname: 'lap-2', name: 'own', hidden_by: null },
    ],
  });
});
