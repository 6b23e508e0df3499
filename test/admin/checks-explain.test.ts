import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checksExplain } from '../../src/admin/checks-explain.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import { days } from '../../src/core/duration.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { NOW, refusal } from './admin-site.ts';
import { BLUETOOTH, checkedSite } from './checks-support.ts';

forEachStore((kind, test) => {
  test(`${kind}: a fail is retraced step by step, to its issue`, async (t) => {
    const site = await checkedSite(t, { 'b.yaml': BLUETOOTH }, { kind });
    await site.report('srv-1', { radio: { hard: false, soft: false } });
    await site.run(issuesAudit);
    t.is(
      (await site.run(checksExplain, 'srv-1', 'bluetooth-on')).out,
      `bluetooth-on on srv-1: fail
Bluetooth is on (low; ${join(site.own, 'b.yaml')})

1. applies_to: it is for this host
     yes hostname: {"$regex":"^srv-"}, found srv-1
2. needs: all are there
     yes plugins.radio = {"hard":false,"soft":false}
3. query: matches, so the answer is fail
     yes any of
       no  plugins.radio.bluetooth: on, found null
       yes all of
         yes plugins.radio.hard: false, found false
         yes plugins.radio.soft: false, found false
4. the answer has been fail since 2026-11-23 12:00Z
5. an issue is open since 2026-11-23 12:00Z; the grace period (1d) ends in 24h
`,
    );
    t.like(await site.json(checksExplain, 'srv-1', 'bluetooth-on'), {
      hostname: 'srv-1',
      check: { name: 'bluetooth-on', severity: 'low' },
      path: { decided_by: 'query', unknown: null, query: { holds: true }, result: { answer: 'fail' } },
      stored: { answer: 'fail' },
      issue: { name: 'bluetooth-on', opened_at: NOW.toISOString() },
    });
  });
});

const steps = (out: string) => out.split('\n').slice(3, -1).join('\n');

test('an unknown says what is missing, and from when on it counts as fail', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  await site.report('srv-1', {});
  await site.run(issuesAudit);
  const { out } = await site.run(checksExplain, 'srv-1', 'bluetooth-on');
  t.regex(out, /^bluetooth-on on srv-1: unknown$/m);
  t.regex(steps(out), /^2\. needs: something is missing, so the answer is unknown$/m);
  t.regex(out, /^ +no {2}plugins\.radio = null: nothing is reported at plugins\.radio$/m);
  t.regex(
    out,
    /^3\. on_unknown: issue-after 7d; unknown since 2026-11-23 12:00Z, so it counts as fail from 2026-11-30 12:00Z on$/m,
  );
  t.regex(out, /^5\. no issue is open$/m);
  t.notRegex(out, /query:/);
  site.clock.set(new Date(NOW.getTime() + days(7)));
  await site.run(issuesAudit);
  const late = (await site.run(checksExplain, 'srv-1', 'bluetooth-on')).out;
  t.regex(late, /^bluetooth-on on srv-1: unknown \(counts as fail\)$/m);
  t.regex(late, /so it has counted as fail since 2026-11-30 12:00Z$/m);
  t.regex(late, /^5\. an issue is open since 2026-11-30 12:00Z/m);
});

test('a query for unknown decides in the place of needs', async (t) => {
  const unknown = 'unknown: { plugins.radio.bluetooth: { $nin: ["on", "off"] } }\non_unknown: fail\n';
  const site = await checkedSite(t, { 'b.yaml': `${BLUETOOTH}${unknown}` });
  await site.report('srv-1', { radio: { bluetooth: 'stuck' } });
  const { out } = await site.run(checksExplain, 'srv-1', 'bluetooth-on');
  t.regex(
    steps(out),
    /^2\. unknown: matches, so the answer is unknown\n +yes plugins\.radio\.bluetooth: \{"\$nin":\["on","off"\]\}, found stuck$/m,
  );
  t.regex(out, /^3\. on_unknown: fail, so it counts as fail\n {5}nothing can be said from plugins\.radio$/m);
});

test('what cannot be evaluated is told, with the reason', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH.replace('"on"', '{ $gt: 1 }') });
  await site.report('srv-1', { radio: { bluetooth: { constructor: { name: 5 } } } });
  const { out } = await site.run(checksExplain, 'srv-1', 'bluetooth-on');
  t.regex(
    out,
    /^3\. query: cannot be evaluated, so the answer is unknown\n {5}\? {3}any of\n {7}\? {3}plugins\.radio\.bluetooth: /m,
  );
  t.regex(out, /^4\. on_unknown: issue-after 7d; .*\n {5}cannot evaluate what the host reported: /m);
});

test('a host that the check is not for is told so', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  await site.report('lap-1', { radio: { bluetooth: 'on' } });
  await site.run(issuesAudit);
  const { out } = await site.run(checksExplain, 'lap-1', 'bluetooth-on');
  t.is(
    steps(out),
    '1. applies_to: it is not for this host\n     no  hostname: {"$regex":"^srv-"}, found lap-1\n2. no issue is open',
  );
});

test('a check that is off is told so, and what it would say', async (t) => {
  const site = await checkedSite(
    t,
    { 'b.yaml': BLUETOOTH, 'f.yaml': 'overrides: firewall-disabled\nenabled: false\n' },
    { profile: 'laptop' },
  );
  await site.report('srv-1', { radio: { bluetooth: 'on' }, firewall: { status: 'off' } });
  await site.run(issuesAudit);
  const { out } = await site.run(checksExplain, 'srv-1', 'bluetooth-on');
  t.regex(
    steps(out),
    /^1\. the check is off \(it is not for the profile of the settings\): what follows is what it would say$/m,
  );
  t.regex(out, /^4\. query: matches, so the answer is fail$/m);
  t.regex(out, /^\d\. no issue is open$/m);
  t.regex(
    (await site.run(checksExplain, 'srv-1', 'firewall-disabled')).out,
    /^1\. the check is off \(`enabled: false`\)/m,
  );
});

test('an answer that the stored one does not agree with yet is told so', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  await site.report('srv-1', { radio: { bluetooth: 'on' } });
  t.regex(
    (await site.run(checksExplain, 'srv-1', 'bluetooth-on')).out,
    /^4\. what was last said is nothing; .*`penguindome issues audit` takes it over\n5\. no issue is open yet: the next report or /m,
  );
  await site.run(issuesAudit);
  await writeFile(join(site.own, 'b.yaml'), BLUETOOTH.replace('"on"', 'never'));
  t.regex(
    (await site.run(checksExplain, 'srv-1', 'bluetooth-on')).out,
    /^4\. what was last said is fail, since 2026-11-23 12:00Z; .*\n5\. an issue is open since/m,
  );
});

test('an issue that the product itself raises has no query to explain', async (t) => {
  const site = await checkedSite(t);
  await site.report('srv-1', {});
  const { out } = await site.run(checksExplain, 'srv-1', 'not-reporting');
  t.is(steps(out), '1. the product itself raises it: no query decides\n2. no issue is open');
  site.clock.set(new Date(NOW.getTime() + days(3)));
  await site.run(issuesAudit);
  t.regex((await site.run(checksExplain, 'srv-1', 'not-reporting')).out, /^not-reporting on srv-1: an open issue\n/);
  t.like(await site.json(checksExplain, 'srv-1', 'not-reporting'), {
    path: null,
    stored: null,
    issue: { name: 'not-reporting' },
  });
});

test('hosts and checks that are not there, and hosts that have not reported, are named', async (t) => {
  const site = await checkedSite(t);
  await enrolledHost(site.store, { hostname: 'fresh' });
  const said = (host: string, check: string) => refusal(t, site.run(checksExplain, host, check));
  t.regex(await said('none', 'firewall-disabled'), /^cannot find a host named none/);
  t.regex(await said('fresh', 'firewall'), /^cannot find a check named firewall;/);
  t.is(await said('fresh', 'firewall-disabled'), 'cannot judge fresh: it has not reported yet');
});

test('the audit and the explanation show which members of a long list are meant', async (t) => {
  const query = '{ plugins.packages.repositories: { $elemMatch: { problems: unsigned } } }';
  const site = await checkedSite(t, { 'r.yaml': `name: unsigned\ntitle: Unsigned\nquery: ${query}\n` });
  const repositories = Array.from({ length: 30 }, (_, index) => ({
    name: `http://deb.example.org/debian suite-${index} main`,
    file: `/etc/apt/sources.list.d/${index}.sources`,
    problems: index === 28 ? ['unsigned'] : [],
  }));
  await site.report('srv-1', { packages: { repositories } });
  const shown = /"file":"\/etc\/apt\/sources\.list\.d\/28\.sources","problems":\["unsigned"\]/;
  const audit = (await site.run(issuesAudit)).out;
  t.regex(audit.slice(audit.indexOf('unsigned: Unsigned')).split('\n')[1] ?? '', shown);
  const { out } = await site.run(checksExplain, 'srv-1', 'unsigned');
  t.regex(out.split('\n').find((line) => line.includes(', found ')) ?? '', shown);
});
