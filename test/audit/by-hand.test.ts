import type { ExecutionContext } from 'ava';
import { loadJudge } from '../../src/audit/judge.ts';
import { runAudit } from '../../src/audit/run-audit.ts';
import type { AuditOptions } from '../../src/core/audit.ts';
import { businessCalendar } from '../../src/core/business-time.ts';
import { days, hours } from '../../src/core/duration.ts';
import type { HostId } from '../../src/core/host.ts';
import { judgedDocument } from '../../src/core/judged.ts';
import type { Fields } from '../../src/core/value.ts';
import { carryOver } from '../../src/server/submission/judge-report.ts';
import type { Store } from '../../src/store/port.ts';
import { aCheckIn, aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { realRandom } from '../support/world.ts';
import { folderOf } from './scratch.ts';

/** A Monday. */
const MONDAY = new Date('2026-11-23T10:00:00Z');
const later = (duration: number) => new Date(MONDAY.getTime() + duration);
const OFFICE = { timeZone: 'UTC', days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '09:00', to: '17:00' } as const;
const FIREWALL = 'name: firewall\ntitle: Firewall off\nquery: { plugins.firewall.status: off }\non_unknown: ignore\n';
const OFF: Fields = { firewall: { status: 'off' } };

const named = (list: { hostname: string; name: string }[]) =>
  list.map(({ hostname, name }) => `${hostname} ${name}`).sort();

async function siteOf(t: ExecutionContext, store: Store) {
  const folder = await folderOf(t, { 'f.yaml': FIREWALL });
  const loaded = await loadJudge([folder]);
  const judged = (hostname: string, plugins: Fields, at: Date) =>
    loaded.judge.judge(judgedDocument({ hostname, plugins, submitted_at: at }), undefined, at);
  const log = { event: () => undefined };
  return {
    judged,
    /** A v1 report, taken as the server takes it. */
    async report(hostname: string, plugins: Fields, at: Date) {
      const checks = judged(hostname, plugins, at);
      await store.hosts.storeV1({ hostname, at, plugins, checks, trail: [] });
      await carryOver({ store, log }, hostname, { checks, previous: undefined, settled: false });
    },
    carryOver: (hostname: string, checks: ReturnType<typeof judged>) =>
      carryOver({ store, log }, hostname, { checks, previous: undefined, settled: false }),
    async audit(at: Date, options: Partial<AuditOptions> = {}) {
      const calendar = businessCalendar({ ...OFFICE, holidays: [] });
      const { signal } = new AbortController();
      const deps = { ...loaded, store, calendar, certificates: [], remarks: [], signal, clock: { now: () => at } };
      return runAudit(deps, { ignore: [], ...options });
    },
  };
}

forEachStore((kind, test, prepare) => {
  test(`${kind}: what is closed by hand stays so over audits, and a v1 report that shows it opens it again`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('a', OFF, MONDAY);
    await store.issues.closeByHand({}, later(hours(1)));
    for (const hour of [1, 2]) t.deepEqual(named((await site.audit(later(hours(hour)))).issues), []);
    await site.report('a', OFF, later(hours(3)));
    t.deepEqual(named((await site.audit(later(hours(3)))).issues), ['a firewall']);
  });

  test(`${kind}: a check-in of v2 confirms what was reported, so that the next audit opens it again`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    const host = await enrolledHost(store, { hostname: 'b' });
    const { hostname } = host;
    const report = aReport(host, { plugins: OFF, checks: site.judged(hostname, OFF, MONDAY) });
    await store.hosts.storeReport(report);
    await site.carryOver(hostname, report.checks ?? t.fail());
    t.deepEqual(named((await site.audit(report.answer.at)).issues), ['b firewall']);
    const closed = new Date(report.answer.at.getTime() + 1000);
    await store.issues.closeByHand({ hostnames: [hostname] }, closed);
    t.deepEqual(named((await site.audit(closed)).issues), []);
    t.true(await store.hosts.checkIn(aCheckIn(report)));
    const again = await site.audit(later(hours(1)));
    t.deepEqual([named(again.opened), named(again.issues)], [['b firewall'], ['b firewall']]);
    t.deepEqual(await store.issues.listHeld(), []);
  });

  test(`${kind}: newer data that do not show it leave it closed, and nothing held`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('a', OFF, MONDAY);
    await site.report('gone', OFF, MONDAY);
    await store.issues.closeByHand({}, later(1));
    await site.report('a', { firewall: { status: 'on' } }, later(hours(1)));
    await store.hosts.forget('gone', later(hours(1)));
    t.is((await store.issues.listHeld()).length, 2);
    t.deepEqual((await site.audit(later(hours(1)))).opened, []);
    t.deepEqual(await store.issues.listHeld(), []);
  });

  test(`${kind}: silence that an operator closed stays so until the host has reported, and fallen silent again`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('a', {}, MONDAY);
    t.deepEqual(named((await site.audit(later(days(2)))).opened), ['a not-reporting']);
    await store.issues.closeByHand({ names: ['not-reporting'] }, later(days(2)));
    t.deepEqual(named((await site.audit(later(days(3)))).issues), []);
    await site.report('a', {}, later(days(4)));
    t.deepEqual(named((await site.audit(later(days(4)))).issues), []);
    t.deepEqual(named((await site.audit(later(days(9)))).opened), ['a not-reporting']);
  });

  test(`${kind}: what an operator opened stays, and closes when its check passes`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('a', { firewall: { status: 'on' } }, MONDAY);
    for (const name of ['own', 'firewall']) await store.issues.openByHand('a', name, MONDAY);
    t.deepEqual(named((await site.audit(MONDAY)).issues), ['a firewall', 'a own']);
    await site.report('a', { firewall: { status: 'on' } }, later(1));
    t.deepEqual(named((await site.audit(later(1))).issues), ['a own']);
  });

  test(`${kind}: a suspended host is quiet until its next report, also one that says nothing new`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('v1', OFF, MONDAY);
    const host = await enrolledHost(store, { hostname: 'v2' });
    const report = aReport(host, { plugins: OFF, checks: site.judged('v2', OFF, MONDAY) });
    await store.hosts.storeReport(report);
    for (const hostname of ['v1', 'v2']) await store.hosts.suspend(hostname, true);
    const at = report.answer.at;
    const quiet = await site.audit(at);
    t.deepEqual([quiet.issues.length, quiet.alerts.length, quiet.hidden.suspended], [2, 0, 2]);
    t.is((await site.audit(at, { ignore: ['suspended'] })).alerts.length, 2);
    await store.hosts.checkIn(aCheckIn(report));
    t.deepEqual(named((await site.audit(at)).alerts), ['v2 firewall']);
    await site.report('v1', OFF, later(hours(1)));
    t.deepEqual(named((await site.audit(later(hours(1)))).alerts), ['v1 firewall', 'v2 firewall']);
  });

  test(`${kind}: what is told is marked, stays quiet for its time, and is told again`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    await site.report('a', OFF, MONDAY);
    await site.report('b', OFF, MONDAY);
    const told = async (minutes: number, options: Partial<AuditOptions> = {}) =>
      named((await site.audit(later(minutes * 60_000), options)).alerts);
    const tell = async (minutes: number, options: Partial<AuditOptions> = {}) => {
      const { alerts, at } = await site.audit(later(minutes * 60_000), options);
      await store.issues.markAlerted(alerts, at);
      return named(alerts);
    };
    t.deepEqual(await told(0), ['a firewall', 'b firewall']);
    t.deepEqual(await tell(0, { hosts: ['A'] }), ['a firewall']);
    t.deepEqual(await tell(58), ['b firewall']);
    t.deepEqual(await told(59), ['a firewall']);
    t.deepEqual(await told(59, { ignore: ['recent'], names: ['firewall'] }), ['a firewall', 'b firewall']);
    t.deepEqual(await told(59, { names: ['other'] }), []);
  });

  test(`${kind}: that a machine is silent is not told while another one of its user reports, for 31 days`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    for (const hostname of ['desk', 'lap']) await site.report(hostname, {}, MONDAY);
    await store.parameters.set('desk', 'user_clients', ['lap'], MONDAY);
    const keepReporting = async (day: number) => site.report('lap', {}, later(days(day)));
    const audit = async (at: Date, options: Partial<AuditOptions> = {}) => {
      const { alerts, hidden } = await site.audit(at, options);
      return { told: named(alerts), filtered: hidden.filter };
    };
    await keepReporting(8);
    t.deepEqual(await audit(later(days(8))), { told: [], filtered: 1 });
    t.deepEqual((await audit(later(days(8)), { ignore: ['filter'] })).told, ['desk not-reporting']);
    // On the day after, at the very time, lap reported one business day ago; a second later it is silent itself.
    t.deepEqual((await audit(later(days(9)))).filtered, 1);
    t.deepEqual((await audit(later(days(9) + 1000))).told, ['desk not-reporting', 'lap not-reporting']);
    await keepReporting(31);
    t.deepEqual(await audit(later(days(31))), { told: [], filtered: 1 });
    t.deepEqual((await audit(later(days(31) + 1))).told, ['desk not-reporting']);
  });

  test(`${kind}: an issue says whom to tell, where that is an address`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    for (const hostname of ['a', 'b', 'c']) await site.report(hostname, OFF, MONDAY);
    await store.parameters.set('a', 'user_email', ['ada@example.org'], MONDAY);
    await store.parameters.set('b', 'user_email', ['-x\nBcc: all@example.org'], MONDAY);
    const { issues } = await site.audit(MONDAY);
    t.deepEqual(
      issues.map(({ user_email }) => user_email),
      ['ada@example.org', undefined, undefined],
    );
  });

  test(`${kind}: a patch that waits is an issue of each host that is known, and closes when it was taken`, async (t) => {
    const store = await (await prepare(t)).open();
    const _id = { $oid: '0123456789abcdef01234567' };
    await store.upkeep.import(
      (async function* () {
        const document = { _id, files: [], pending_hosts: ['a', 'gone', 'b'], completed_hosts: [] };
        yield { collection: 'patches', document };
      })(),
      (await store.state()).epoch,
    );
    const site = await siteOf(t, store);
    for (const hostname of ['a', 'b']) await site.report(hostname, {}, MONDAY);
    t.deepEqual(named((await site.audit(MONDAY)).opened), ['a pending-patches', 'b pending-patches']);
    await store.patches.acknowledge(_id.$oid, 'a');
    t.deepEqual(named((await site.audit(MONDAY)).closed), ['a pending-patches']);
    await store.issues.closeByHand({}, later(1));
    t.deepEqual(named((await site.audit(later(2))).opened), ['b pending-patches'], 'it waits still');
  });

  test(`${kind}: a patch by an order waits, or was not taken, until the host did it, it expires or is cancelled`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store);
    const hosts = new Map<string, HostId>();
    for (const hostname of ['a', 'b', 'c', 'gone']) {
      const host = await enrolledHost(store, { hostname });
      hosts.set(hostname, host.identity.host_id);
      if (hostname !== 'gone') await store.hosts.storeReport(aReport(host));
    }
    const targets = [...hosts].map(([hostname, host_id]) => ({ hostname, host_id }));
    const order = {
      ...{ kind: 'patch' as const, manifest: '{}', signatures: [], by: 'ann', why: '', files: [], hosts: 4 },
      ...{ made_at: MONDAY, expires_at: later(days(3)) },
    };
    const ids = [realRandom.uuid(), realRandom.uuid(), realRandom.uuid()] as const;
    await store.orders.insert({ ...order, id: ids[0] }, targets);
    await store.orders.insert({ ...order, id: ids[1], kind: 'command' }, targets);
    await store.hosts.forget('gone', MONDAY);
    t.deepEqual(
      named((await site.audit(later(1))).opened).filter((one) => one.endsWith('pending-patches')),
      ['a pending-patches', 'b pending-patches', 'c pending-patches'],
    );
    const say = async (hostname: string, state: 'done' | 'failed', number: number) => {
      const host_id = hosts.get(hostname);
      if (host_id === undefined) throw new Error(hostname);
      await store.orders.report(host_id, { order: ids[0], number, state, at: MONDAY });
    };
    await say('a', 'done', 1);
    await say('b', 'failed', 1);
    t.deepEqual(named((await site.audit(later(2))).closed), ['a pending-patches']);
    await store.orders.insert({ ...order, id: ids[2], expires_at: later(days(9)) }, targets.slice(0, 1));
    t.deepEqual(named((await site.audit(later(days(4)))).closed), ['b pending-patches', 'c pending-patches']);
    await store.orders.cancel(ids[2], later(days(4)));
    t.deepEqual(named((await site.audit(later(days(4) + 1))).closed), ['a pending-patches']);
  });
});
