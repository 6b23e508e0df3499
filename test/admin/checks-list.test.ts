import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { checksList } from '../../src/admin/checks-list.ts';
import { issuesAudit } from '../../src/admin/issues-audit.ts';
import { forEachStore } from '../support/stores.ts';
import { BLUETOOTH, checkedSite } from './checks-support.ts';

forEachStore((kind, test) => {
  test(`${kind}: the checks are listed with what was last said of the hosts`, async (t) => {
    const site = await checkedSite(t, { 'b.yaml': BLUETOOTH }, { kind });
    await site.report('srv-1', { radio: { bluetooth: 'on' }, firewall: { status: 'on' } });
    await site.report('srv-2', { radio: { bluetooth: 'off' }, firewall: { status: 'off' } });
    await site.report('lap-1', { radio: { bluetooth: 'on' }, firewall: { status: 'unknown' } });
    await site.run(issuesAudit);
    const { out, err } = await site.run(checksList);
    t.is(err, '');
    t.regex(out, /^CHECK +SEVERITY +PROFILES +STATE +PASS +FAIL +UNKNOWN +FROM\n/);
    t.regex(out, /^bluetooth-on +low +server +on +1 +1 +0 +\/\S+\/b\.yaml$/m);
    t.regex(out, /^firewall-disabled +high +all +on +1 +1 +1 +shipped$/m);
    t.regex(out, /^not-reporting +medium +all +on +- +- +- +shipped$/m);
    t.like(await site.json(checksList), { profile: null, judged_hosts: 3, judged_otherwise: 0, problems: [] });
  });
});

test('where a check comes from, and why it is off, is told', async (t) => {
  const files = {
    'b.yaml': BLUETOOTH,
    'f.yaml': 'overrides: firewall-disabled\nenabled: false\n',
    'u.yaml': 'name: unencrypted-hard-drive\ntitle: Ours\nquery: { plugins.hd_encryption.encrypted: false }\n',
  };
  const site = await checkedSite(t, files, { profile: 'laptop' });
  const { out } = await site.run(checksList);
  t.regex(out, /^bluetooth-on .* off \(profile\) +- +- +- /m);
  t.regex(out, /^firewall-disabled .* off +- +- +- +shipped, changed by \/\S+\/f\.yaml$/m);
  t.regex(
    out,
    /^unencrypted-hard-drive .* on .* \/\S+\/u\.yaml, in place of checks\.d\/unencrypted-hard-drive\.yaml$/m,
  );
  const on = await site.run(checksList, '--on');
  t.notRegex(on.out, /bluetooth-on|firewall-disabled/);
  t.regex(on.out, /^unencrypted-hard-drive /m);
});

test('a check file with a mistake is named, and the others are listed', async (t) => {
  const site = await checkedSite(t, {
    'b.yaml': BLUETOOTH,
    'bad.yaml': 'name: bad\ntitle: Bad\nseverity: dire\nquery: { a: 1 }\n',
  });
  const { out, err } = await site.run(checksList);
  t.regex(err, /bad\.yaml:3: severity: expected critical, high, medium or low\n$/);
  t.regex(out, /^bluetooth-on /m);
  const { problems } = Object(await site.json(checksList));
  t.is(problems.length, 1);
});

test('hosts that other checks judged are told of, until an audit judges them again', async (t) => {
  const site = await checkedSite(t);
  await site.report('srv-1', { radio: 'on' });
  await site.run(issuesAudit);
  t.is((await site.run(checksList)).err, '');
  await writeFile(join(site.own, 'b.yaml'), BLUETOOTH);
  t.regex(
    (await site.run(checksList)).err,
    /^all 1 hosts were last judged by other checks than these; `penguindome issues audit`/,
  );
  t.like(await site.json(checksList), { judged_hosts: 1, judged_otherwise: 1 });
  await site.run(issuesAudit);
  t.is((await site.run(checksList)).err, '');
});
