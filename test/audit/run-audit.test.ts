import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { AuditDeps } from '../../src/audit/audit-deps.ts';
import { loadJudge } from '../../src/audit/judge.ts';
import { runAudit } from '../../src/audit/run-audit.ts';
import type { AuditOptions } from '../../src/core/audit.ts';
import { type BusinessHours, businessCalendar } from '../../src/core/business-time.ts';
import { days, hours } from '../../src/core/duration.ts';
import { judgedDocument } from '../../src/core/judged.ts';
import type { Fields } from '../../src/core/value.ts';
import type { Store } from '../../src/store/port.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { folderOf } from './scratch.ts';

/** A Monday. */
const MONDAY = new Date('2026-03-02T10:00:00Z');
const later = (duration: number) => new Date(MONDAY.getTime() + duration);
const OFFICE: BusinessHours = {
  timeZone: 'UTC',
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '17:00',
  holidays: [],
};

const FIREWALL = 'name: firewall\ntitle: Firewall off\nseverity: high\nquery: { plugins.firewall.status: off }\n';
const SSHD = 'name: sshd\ntitle: SSH open\nquery: { plugins.sshd.status: running }\non_unknown: issue-after 2d\n';

interface Site {
  store: Store;
  folder: string;
  /** what the server does with a report, up to where it may crash */
  report(hostname: string, plugins: Fields, at: Date, options?: { crash: boolean }): Promise<void>;
  audit(at: Date, changes?: Partial<AuditDeps>, options?: Partial<AuditOptions>): ReturnType<typeof runAudit>;
  open(): Promise<string[]>;
}

async function siteOf(t: ExecutionContext, store: Store, files: Record<string, string>): Promise<Site> {
  const folder = await folderOf(t, files);
  return {
    store,
    folder,
    async report(hostname, plugins, at, options) {
      const { judge } = await loadJudge([folder]);
      const before = await store.hosts.find(hostname);
      const checks = judge.judge(judgedDocument({ hostname, plugins, submitted_at: at }), before?.checks, at);
      await store.hosts.storeV1({ hostname, at, plugins, checks, trail: [] });
      if (options?.crash === true) return;
      const results = Object.entries(checks.results);
      const names = (fails: boolean) => results.filter(([, result]) => result.fails === fails).map(([name]) => name);
      await store.issues.reconcile(hostname, names(true), names(false), at);
      await store.hosts.settle(hostname, checks.evaluated_at);
    },
    async audit(at, changes = {}, options = {}) {
      const loaded = await loadJudge([folder]);
      const signal = new AbortController().signal;
      const deps = { ...loaded, store, calendar: businessCalendar(OFFICE), certificates: [], remarks: [], signal };
      return runAudit({ ...deps, clock: { now: () => at }, ...changes }, { ignore: [], ...options });
    },
    async open() {
      const found: string[] = [];
      for await (const { hostname, name } of store.issues.listOpen()) found.push(`${hostname} ${name}`);
      return found;
    },
  };
}

const firewall = (status: string): Fields => ({ firewall: { status } });
const named = (list: { hostname: string; name: string }[]) =>
  list.map(({ hostname, name }) => `${hostname} ${name}`).sort();

forEachStore((kind, test, prepare) => {
  test(`${kind}: an open issue comes with what its check says of it`, async (t) => {
    const remedied = `${FIREWALL}grace_period: 1d\nremediation: { debian: Run ufw, default: Do something }\n`;
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': remedied });
    await site.report('laptop', { ...firewall('off'), os_info: { distname: 'Debian GNU/Linux' } }, MONDAY);
    const { issues, judged, opened, problems } = await site.audit(later(hours(1)));
    t.deepEqual([judged, opened, problems], [0, [], []], 'the report was judged as it came');
    t.deepEqual(issues, [
      {
        hostname: 'laptop',
        name: 'firewall',
        opened_at: MONDAY,
        title: 'Firewall off',
        severity: 'high',
        due_at: new Date('2026-03-03T10:00:00Z'),
        suspended: false,
        submitted_at: MONDAY,
        answer: 'fail',
        evidence: { 'plugins.firewall.status': 'off' },
        remediation: 'Run ufw',
        hidden_by: 'grace',
      },
    ]);
  });

  test(`${kind}: a host whose answers flip opens and closes its issue`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL });
    for (const [status, expected] of [
      ['off', ['laptop firewall']],
      ['on', []],
      ['off', ['laptop firewall']],
    ] as const) {
      await site.report('laptop', firewall(status), MONDAY);
      await site.audit(MONDAY);
      t.deepEqual(await site.open(), expected);
    }
  });

  test(`${kind}: a crash between a report and its issues is healed by the next run`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL });
    await site.report('laptop', firewall('off'), MONDAY, { crash: true });
    t.deepEqual(await site.open(), []);
    t.deepEqual(named((await site.audit(MONDAY)).opened), ['laptop firewall']);
    await site.report('laptop', firewall('on'), later(hours(1)), { crash: true });
    t.deepEqual(await site.open(), ['laptop firewall']);
    t.deepEqual(named((await site.audit(later(hours(1)))).closed), ['laptop firewall']);
    const again = await site.audit(later(hours(1)));
    t.deepEqual([again.judged, again.opened, again.closed], [0, [], []]);
  });

  test(`${kind}: changed checks are evaluated over the stored fleet, once`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL });
    const count = 300;
    for (let index = 0; index < count; index += 1) {
      const plugins = {
        ...firewall(index % 3 === 0 ? 'off' : 'on'),
        sshd: { status: index % 2 === 0 ? 'running' : 'stopped' },
      };
      await site.report(`host-${String(index).padStart(3, '0')}`, plugins, MONDAY);
    }
    t.is((await site.open()).length, 100);
    await writeFile(join(site.folder, 's.yaml'), SSHD);
    const first = await site.audit(later(hours(1)));
    t.is(first.judged, count);
    t.is(first.opened.length, 150);
    t.is(first.issues.length, 250);
    const second = await site.audit(later(hours(2)));
    t.deepEqual([second.judged, second.opened, second.closed], [0, [], []]);
    await writeFile(join(site.folder, 'f.yaml'), `${FIREWALL}enabled: false\n`);
    const third = await site.audit(later(hours(3)));
    t.is(third.closed.length, 100, 'the issues of a check that is switched off close');
    t.true(third.closed.every(({ name }) => name === 'firewall'));
    t.is((await site.open()).length, 150);
  });

  test(`${kind}: the issues of a check that is gone close`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL, 's.yaml': SSHD });
    await site.report('laptop', firewall('off'), MONDAY);
    await writeFile(join(site.folder, 'f.yaml'), FIREWALL.replace('name: firewall', 'name: renamed'));
    const { opened, closed } = await site.audit(MONDAY);
    t.deepEqual([named(opened), named(closed)], [['laptop renamed'], ['laptop firewall']]);
  });

  test(`${kind}: a check whose file broke keeps its issues and what it said, and the file is named`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL, 's.yaml': SSHD });
    await site.report('laptop', firewall('off'), MONDAY);
    await writeFile(join(site.folder, 'f.yaml'), `${FIREWALL}oops: 1\n`);
    const broken = await site.audit(later(hours(1)));
    t.deepEqual(broken.closed, []);
    t.deepEqual(named(broken.issues), ['laptop firewall']);
    t.regex(broken.problems.join(), /f\.yaml:5: oops: expected a key that checks have/);
    t.is((await site.store.hosts.find('laptop'))?.checks?.results['firewall']?.answer, 'fail');
    await writeFile(join(site.folder, 'f.yaml'), FIREWALL);
    const mended = await site.audit(later(hours(2)));
    t.deepEqual([mended.opened, mended.closed], [[], []]);
    t.deepEqual(mended.issues[0]?.opened_at, MONDAY);
  });

  test(`${kind}: an unknown that lasts becomes an issue when its time is up`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 's.yaml': SSHD });
    await site.report('laptop', {}, MONDAY);
    t.deepEqual(named((await site.audit(later(days(2) - 1))).opened), ['laptop not-reporting']);
    const due = await site.audit(later(days(2)));
    t.deepEqual([due.judged, named(due.opened)], [1, ['laptop sshd']]);
    t.like(due.issues[1], { name: 'sshd', answer: 'unknown', reason: 'nothing is reported at plugins.sshd.status' });
    t.is((await site.audit(later(days(3)))).judged, 0);
  });

  test(`${kind}: advisories that come, and change, are matched against the stored fleet`, async (t) => {
    const check = await readFile('checks.d/vulnerable-packages.yaml', 'utf8');
    const site = await siteOf(t, await (await prepare(t)).open(), { 'v.yaml': check });
    const installed = (bash: string) => ({ packages: { inventory: { pacman: { bash } } } });
    await site.report('arch', installed('1.1-1'), MONDAY);
    await site.report('newer', installed('1.2-1'), MONDAY);
    await site.report('debian', { packages: { inventory: { deb: { bash: '1.1-1' } } } }, MONDAY);
    t.deepEqual(await site.open(), [], 'nothing is known yet');
    const group = {
      name: 'AVG-1',
      packages: ['bash'],
      status: 'Fixed',
      severity: 'High',
      affected: '1.0-1',
      fixed: '1.2-1',
    };
    const audit = async (at: Date, ...groups: object[]) => {
      const advisories = await folderOf(t, { 'all.json': JSON.stringify(groups) });
      const { judge } = await loadJudge([site.folder], { advisories: advisories });
      return site.audit(at, { judge });
    };
    const first = await audit(later(hours(1)), group);
    t.deepEqual([first.judged, named(first.opened)], [3, ['arch vulnerable-packages']]);
    t.deepEqual(first.issues[0]?.evidence?.['advisories.fixable'], ['bash 1.1-1, fixed in 1.2-1 (high, AVG-1)']);
    t.is((await audit(later(hours(2)), group)).judged, 0, 'the same advisories ask for nothing');
    const other = await audit(later(hours(3)), { ...group, fixed: '1.1-1' });
    t.deepEqual(named(other.closed), ['arch vulnerable-packages']);
  });

  test(`${kind}: a host that a check is not for any more loses its issue`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL });
    await site.report('laptop', firewall('off'), MONDAY);
    await writeFile(join(site.folder, 'f.yaml'), `${FIREWALL}applies_to: { hostname: { $regex: ^server } }\n`);
    t.deepEqual(named((await site.audit(MONDAY)).closed), ['laptop firewall']);
  });

  test(`${kind}: a host is silent when nothing came for one business day`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), {});
    const friday = new Date('2026-03-06T16:00:00Z');
    await site.report('laptop', {}, friday);
    await site.report('other', {}, MONDAY);
    const sunday = await site.audit(new Date('2026-03-08T16:00:00Z'));
    t.deepEqual(named(sunday.opened), ['other not-reporting'], 'a weekend is no time');
    t.deepEqual(named((await site.audit(new Date('2026-03-09T16:00:00Z'))).opened), []);
    t.deepEqual(named((await site.audit(new Date('2026-03-09T16:00:01Z'))).opened), ['laptop not-reporting']);
    await site.report('laptop', {}, new Date('2026-03-09T16:30:00Z'));
    t.deepEqual(named((await site.audit(new Date('2026-03-09T16:31:00Z'))).closed), ['laptop not-reporting']);
    t.deepEqual(await site.open(), ['other not-reporting']);
  });

  test(`${kind}: a host that was let in and never reports is silent a business day later`, async (t) => {
    const store = await (await prepare(t)).open();
    const site = await siteOf(t, store, {});
    // let in on Monday, 2026-11-23, at 10:00:01
    const { hostname } = await enrolledHost(store);
    t.deepEqual(named((await site.audit(new Date('2026-11-24T10:00:01Z'))).opened), []);
    t.deepEqual(named((await site.audit(new Date('2026-11-24T10:00:02Z'))).opened), [`${hostname} not-reporting`]);
  });

  test(`${kind}: not-reporting can be switched off`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), {});
    await site.report('laptop', {}, MONDAY);
    t.is((await site.audit(later(days(7)))).opened.length, 1);
    await writeFile(join(site.folder, 'n.yaml'), 'name: not-reporting\ntitle: Off\nenabled: false\n');
    const { opened, closed } = await site.audit(later(days(7)));
    t.deepEqual([named(opened), named(closed)], [[], ['laptop not-reporting']]);
  });

  test(`${kind}: issues that others raise, and an original database's, are left alone; strays close`, async (t) => {
    const site = await siteOf(t, await (await prepare(t)).open(), { 'f.yaml': FIREWALL });
    await site.report('laptop', firewall('on'), MONDAY);
    for (const name of ['deprecated-port', 'duplicate-hostname', 'no-location', 'no-such-check']) {
      await site.store.issues.open('laptop', name, MONDAY);
    }
    await site.store.issues.open('gone', 'firewall', MONDAY);
    const { closed } = await site.audit(MONDAY);
    t.deepEqual(named(closed), ['gone firewall', 'laptop no-such-check']);
    t.deepEqual(await site.open(), ['laptop deprecated-port', 'laptop duplicate-hostname', 'laptop no-location']);
  });
});
