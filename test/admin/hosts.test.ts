import test from 'ava';
import { hostsForget } from '../../src/admin/hosts-forget.ts';
import { hostsHistory } from '../../src/admin/hosts-history.ts';
import { hostsList } from '../../src/admin/hosts-list.ts';
import { hostsShow } from '../../src/admin/hosts-show.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import { issuesList } from '../../src/admin/issues-list.ts';
import { loadJudge } from '../../src/audit/judge.ts';
import { differences } from '../../src/core/differences.ts';
import { minutes } from '../../src/core/duration.ts';
import { judgedDocument } from '../../src/core/judged.ts';
import type { Fields } from '../../src/core/value.ts';
import { aReport, enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { type AdminSite, adminSite, NOW, refusal } from './admin-site.ts';

const GOOD: Fields = {
  os_info: { distname: 'Debian GNU/Linux', version: '12' },
  os_updates: { release: false, security_patches: false },
  hd_encryption: [{ mountpoint: '/', device: '/dev/mapper/x', type: 'ext4', encrypted: true }],
  firewall: { status: 'on' },
  guest_session: { enabled: false },
  sshd: { status: 'missing' },
};
const BAD: Fields = { ...GOOD, firewall: { status: 'off' }, hd_encryption: 'unknown' };

/** As the server takes it, up to where it would open and close issues. */
async function report(site: AdminSite, hostname: string, plugins: Fields): Promise<void> {
  const before = await site.store.hosts.find(hostname);
  const at = site.clock.now();
  const { judge } = await loadJudge(['checks.d']);
  const checks = judge.judge(judgedDocument({ hostname, plugins }), before?.checks, at);
  const trail = differences(hostname, before, { plugins }, at);
  await site.store.hosts.storeV1({ hostname, at, plugins, checks, trail });
}

forEachStore((kind, test) => {
  test(`${kind}: the audit prints what is open by host, with evidence and remedy`, async (t) => {
    const site = await adminSite(t, kind);
    await report(site, 'bad', BAD);
    await report(site, 'good', GOOD);
    const { out } = await site.run(issuesAudit);
    t.is(
      out,
      `bad
  firewall-disabled: No firewall keeps incoming connections out (high, since 2026-11-23 12:00Z)
      plugins.firewall.status = off
      → Run \`sudo apt install ufw\`. Where you come in by ssh, run \`sudo ufw allow ssh\` first (or allow the port that sshd listens on). Then run \`sudo ufw enable\`.
  unencrypted-hard-drive: A hard drive is not encrypted (high, since 2026-11-23 12:00Z, unknown (counts as fail))
      nothing is reported at plugins.hd_encryption.encrypted
      plugins.hd_encryption.encrypted = null
      → Save your files and install again with "Guided - use entire disk and set up encrypted LVM", then put them back. A second disk can be encrypted with cryptsetup.

2 open on 1 host; opened 2, closed 0
`,
    );
    t.like(await site.json(issuesAudit, '--display-recent'), {
      judged: 0,
      opened: [],
      issues: [
        { hostname: 'bad', name: 'firewall-disabled' },
        { hostname: 'bad', answer: 'unknown' },
      ],
      problems: [],
    });
    await report(site, 'bad', GOOD);
    t.regex((await site.run(issuesAudit)).out, /^no open issues; opened 0, closed 2\n$/);
  });

  test(`${kind}: issues are listed by host and name, closed ones on request`, async (t) => {
    const site = await adminSite(t, kind);
    await report(site, 'a', BAD);
    await report(site, 'b', BAD);
    await site.run(issuesAudit);
    const names = async (...args: string[]) =>
      (await site.run(issuesList, ...args)).out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(/ +/, 2).join(' '));
    t.is((await names()).length, 4);
    t.deepEqual(await names('--host', 'a', '--issue-name', 'firewall-disabled'), ['a firewall-disabled']);
    await report(site, 'a', GOOD);
    await site.run(issuesAudit);
    t.deepEqual(await names('--host', 'a'), []);
    t.deepEqual((await names('--host', 'a', '--all')).sort(), ['a firewall-disabled', 'a unencrypted-hard-drive']);
  });

  test(`${kind}: a host is shown as it is stored, with what the checks said`, async (t) => {
    const site = await adminSite(t, kind);
    const host = await enrolledHost(site.store, { hostname: 'lap' });
    const stored = aReport(host, { plugins: { ...BAD, $where: { 'a.b': '\u001b[2J' } } });
    await site.store.hosts.storeReport(stored);
    await site.run(issuesAudit);
    const shown = await site.json(hostsShow, 'lap');
    t.like(shown, {
      hostname: 'lap',
      plugins: { ...BAD, $where: { 'a.b': '\u001b[2J' }, submitted_at: stored.answer.at.toISOString() },
      submitted_at: stored.answer.at.toISOString(),
      collected_at: stored.collected_at.toISOString(),
      identity: { host_id: host.identity.host_id, last: { submission: stored.answer.submission } },
      checks: { results: { 'firewall-disabled': { answer: 'fail', evidence: { 'plugins.firewall.status': 'off' } } } },
    });
    t.false(JSON.stringify(shown).includes(stored.answer.chain), 'the chain value is the host alone');
    const { out } = await site.run(hostsShow, 'lap');
    t.regex(out, /firewall-disabled +fail +2026-11-23 12:00Z +plugins\.firewall\.status = off/);
    t.regex(out, /unencrypted-hard-drive +unknown \(counts as fail\)/);
    t.regex(out, /passwordauthentication = null; plugins\.sshd\.status = missing\n/);
    t.regex(out, /distname: Debian GNU\/Linux/);
    t.false(out.includes('\u001b'));
  });

  test(`${kind}: what changed is shown newest first, also of a host that was forgotten`, async (t) => {
    const site = await adminSite(t, kind);
    await report(site, 'lap', GOOD);
    site.clock.set(new Date(NOW.getTime() + minutes(1)));
    await report(site, 'lap', { ...GOOD, firewall: { status: 'off' } });
    site.clock.set(new Date(NOW.getTime() + minutes(2)));
    await report(site, 'lap', { ...GOOD, firewall: { status: 'off' }, new: 1 });
    const { out } = await site.run(hostsHistory, 'lap');
    t.is(
      out,
      'TIME               PATH                     CHANGE\n2026-11-23 12:02Z  plugins.new              added 1\n2026-11-23 12:01Z  plugins.firewall.status  on → off\n',
    );
    t.is((await site.run(hostsHistory, 'lap', '--limit', '1')).out.split('\n').length, 3);
    t.regex((await site.run(hostsHistory, 'lap', '--before', '2026-11-23T12:02Z')).out, /on → off/);
    t.notRegex((await site.run(hostsHistory, 'lap', '--before', '2026-11-23T12:02Z')).out, /added 1/);
    for (const time of ['2026-02-31', '2026-11-23T25:00Z', 'yesterday']) {
      await t.throwsAsync(
        site.run(hostsHistory, 'lap', '--before', time),
        { message: /Expected a time such as/ },
        time,
      );
    }
    t.is((await site.run(hostsHistory, 'lap', '--before', '2026-11-23 12:03Z')).out, out, 'a time as it is shown');
    await site.run(hostsForget, 'lap', '--yes');
    t.is((await site.run(hostsHistory, 'lap')).out, out);
  });

  test(`${kind}: a forgotten host is gone, and its key refused`, async (t) => {
    const site = await adminSite(t, kind);
    const host = await enrolledHost(site.store, { hostname: 'lap' });
    await site.store.hosts.storeReport(aReport(host, { plugins: BAD }));
    await site.run(issuesAudit);
    await site.run(hostsForget, 'lap', '--yes');
    t.is(await site.store.hosts.find('lap'), undefined);
    t.deepEqual(await site.json(issuesList), []);
    t.not(
      (await site.store.hosts.spend({ key_id: host.key_id, sequence: Number.MAX_SAFE_INTEGER }, new Date())).outcome,
      'spent',
    );
    t.like((await site.identities.read()).events[0], { event: 'revoked', key_id: host.key_id });
    t.true(await site.store.enrollments.everApproved('lap'));
  });
});

test('the list says of each host how it stands', async (t) => {
  const site = await adminSite(t);
  await report(site, 'bad', BAD);
  const { hostname } = await enrolledHost(site.store, { hostname: 'fresh' });
  await site.run(issuesAudit);
  site.clock.set(new Date(NOW.getTime() + minutes(5)));
  const { out } = await site.run(hostsList);
  t.regex(out, /^bad +5m ago +v1 +- +\d+ +1 +\d+ +firewall-disabled, unencrypted-hard-drive$/m);
  t.regex(out, /^fresh +never +v2 +- +0 +0 +0 +-$/m);
  t.like(await site.json(hostsList), [
    { hostname: 'bad', checks: { fail: 1 } },
    { hostname, submitted_at: null },
  ]);
});

forEachStore((kind, test) => {
  test(`${kind}: which hosts run which version of the agent is listed and shown`, async (t) => {
    const site = await adminSite(t, kind);
    await report(site, 'new', { ...GOOD, agent: { version: '1.5.0' } });
    await report(site, 'old', { ...GOOD, agent: { version: '1.3.2' } });
    await report(site, 'silent', { ...GOOD, agent: 'unknown' });
    const { out } = await site.run(hostsList);
    t.regex(out, /^HOST +REPORTED +BY +AGENT /m);
    t.regex(out, /^old +0s ago +v1 +1\.3\.2 /m);
    t.regex(out, /^silent +0s ago +v1 +- /m);
    const names = async (version: string) =>
      (await site.run(hostsList, '--agent', version)).out
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]);
    t.deepEqual(await names('1.3.2'), ['old']);
    t.deepEqual(await names('unknown'), ['silent']);
    t.regex((await site.run(hostsList, '--agent', '9.9.9')).err, /^no such hosts\n/);
    t.like(await site.json(hostsList), [
      { agent_version: '1.5.0' },
      { agent_version: '1.3.2' },
      { agent_version: null },
    ]);
    t.regex((await site.run(hostsShow, 'old')).out, /^agent +1\.3\.2$/m);
    t.regex((await site.run(hostsShow, 'silent')).out, /^agent +it does not say which version$/m);
    t.like(await site.json(hostsShow, 'new'), { agent_version: '1.5.0' });
  });
});

test('a host that is not there is named, with where to look', async (t) => {
  const site = await adminSite(t);
  for (const command of [hostsShow, hostsHistory, hostsForget]) {
    t.is(
      await refusal(t, site.run(command, 'lap')),
      'cannot find a host named lap; `penguindome hosts list` shows those there are',
    );
  }
});

test('without a terminal and --yes no host is forgotten', async (t) => {
  const site = await adminSite(t);
  await report(site, 'lap', GOOD);
  t.regex(await refusal(t, site.run(hostsForget, 'lap')), /without a terminal: use --yes/);
  t.truthy(await site.store.hosts.find('lap'));
});

test('nothing to list is said, and leaves standard output empty', async (t) => {
  const site = await adminSite(t);
  t.is((await site.run(hostsList)).out, '');
  t.regex((await site.run(issuesList)).err, /no open issues/);
  t.deepEqual(await site.json(hostsList), []);
});
