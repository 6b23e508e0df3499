import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checksTest } from '../../src/admin/checks-test.ts';
import { hostsShow } from '../../src/admin/hosts-show.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import { folderOf } from '../audit/scratch.ts';
import { enrolledHost } from '../support/documents.ts';
import { forEachStore } from '../support/stores.ts';
import { refusal } from './admin-site.ts';
import { BLUETOOTH, checkedSite } from './checks-support.ts';

forEachStore((kind, test) => {
  test(`${kind}: a file is tried on the stored hosts, worst answers first, and nothing changes`, async (t) => {
    const site = await checkedSite(t, {}, { kind });
    const file = join(await folderOf(t, { 'b.yaml': BLUETOOTH }), 'b.yaml');
    await site.report('srv-1', { radio: { bluetooth: 'off' } });
    await site.report('srv-2', {});
    await site.report('srv-3', { radio: { bluetooth: 'on' } });
    await site.report('lap-1', { radio: { bluetooth: 'on' } });
    await enrolledHost(site.store, { hostname: 'srv-silent' });
    await site.run(issuesAudit);
    const before = await site.json(hostsShow, 'srv-3');
    t.is(
      (await site.run(checksTest, file)).out,
      `HOST   ANSWER   EVIDENCE
srv-3  fail     plugins.radio = {"bluetooth":"on"}; plugins.radio.bluetooth = on; plugins.radio.hard = null; plugins.radio.soft = null
srv-2  unknown  nothing is reported at plugins.radio; plugins.radio = null; plugins.radio.bluetooth = null; plugins.radio.hard = null; plugins.radio.soft = null
srv-1  pass     plugins.radio = {"bluetooth":"off"}; plugins.radio.bluetooth = off; plugins.radio.hard = null; plugins.radio.soft = null

bluetooth-on: 1 fail, 1 unknown, 1 pass; 1 that it is not for
`,
    );
    t.deepEqual(await site.json(hostsShow, 'srv-3'), before);
    t.like(await site.json(checksTest, file), {
      check: { name: 'bluetooth-on', file },
      ...{ pass: 1, fail: 1, unknown: 1, not_for: 1 },
      hosts: [
        { hostname: 'srv-3', answer: 'fail', evidence: { 'plugins.radio.bluetooth': 'on' } },
        { hostname: 'srv-2', reason: 'nothing is reported at plugins.radio' },
        { hostname: 'srv-1' },
      ],
    });
  });
});

test('--host tries it on these hosts only', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  const file = join(site.own, 'b.yaml');
  for (const name of ['srv-1', 'srv-2', 'srv-3']) await site.report(name, { radio: { bluetooth: 'on' } });
  const { out } = await site.run(checksTest, '--host', 'srv-1', file, '--host', 'SRV-3');
  t.regex(out, /^srv-1 +fail .*\nsrv-3 +fail .*\n\nbluetooth-on: 2 fail, 0 unknown, 0 pass\n$/m);
  t.regex(await refusal(t, site.run(checksTest, file, '--host', 'srv-4')), /^cannot find a host named srv-4/);
  await enrolledHost(site.store, { hostname: 'fresh' });
  t.is(await refusal(t, site.run(checksTest, file, '--host', 'fresh')), 'cannot judge fresh: it has not reported yet');
});

test('an override is tried as the check that it changes', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  const file = join(await folderOf(t), 'o.yaml');
  await site.report('lap-1', { radio: { bluetooth: 'on' } });
  await writeFile(file, 'overrides: bluetooth-on\napplies_to: default\n');
  t.regex((await site.run(checksTest, file)).out, /^bluetooth-on: 1 fail, 0 unknown, 0 pass$/m);
  await writeFile(
    join(site.own, 'o.yaml'),
    'overrides: firewall-disabled\nquery: { plugins.radio: 1 }\nneeds: default\n',
  );
  t.regex(
    (await site.run(checksTest, join(site.own, 'o.yaml'))).out,
    /^firewall-disabled: 0 fail, 0 unknown, 1 pass$/m,
    'one that is in force already, too',
  );
});

test('an override that lies in a folder of the settings is told its mistake once, and not by itself', async (t) => {
  const site = await checkedSite(t, { 'o.yaml': 'overrides: firewal-disabled\nenabled: false\n' });
  t.regex(
    await refusal(t, site.run(checksTest, join(site.own, 'o.yaml'))),
    /^cannot use the check:\n\S+o\.yaml:1: overrides: .* did you mean firewall-disabled\?$/,
  );
});

test('what is off is tried as if it were on', async (t) => {
  const site = await checkedSite(t, {}, { profile: 'laptop' });
  const file = join(await folderOf(t, { 'b.yaml': `${BLUETOOTH}enabled: false\n` }), 'b.yaml');
  await site.report('srv-1', { radio: { bluetooth: 'on' } });
  const { out, err } = await site.run(checksTest, file);
  t.regex(out, /1 fail/);
  t.is(err, 'the file says `enabled: false`: in force, it would be off\n');
});

test('a file that cannot be used is refused, with line and reason', async (t) => {
  const site = await checkedSite(t);
  const folder = await folderOf(t, {
    'bad.yaml': 'name: bad\ntitle: Bad\nseverity: dire\nquery: { a: 1 }\n',
    'own.yaml': 'name: not-reporting\ntitle: Silent\n',
  });
  t.regex(
    await refusal(t, site.run(checksTest, join(folder, 'bad.yaml'))),
    /^cannot use the check:\n\S+bad\.yaml:3: severity: expected critical, high, medium or low$/,
  );
  t.regex(await refusal(t, site.run(checksTest, join(folder, 'none.yaml'))), /none\.yaml: cannot be read: ENOENT/);
  t.regex(
    await refusal(t, site.run(checksTest, join(folder, 'own.yaml'))),
    /not-reporting is raised by the product itself$/,
  );
});

test('a fleet without a host is no mistake', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  t.is((await site.run(checksTest, join(site.own, 'b.yaml'))).out, 'bluetooth-on: 0 fail, 0 unknown, 0 pass\n');
});

test('what a host reports cannot forge lines of its own', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  await site.report('srv-1', { radio: { bluetooth: 'x\nsrv-2  pass' } });
  t.regex((await site.run(checksTest, join(site.own, 'b.yaml'))).out, /bluetooth = x\\nsrv-2 {2}pass;/);
});
