import { join } from 'node:path';
import test from 'ava';
import { checksShow } from '../../src/admin/checks-show.ts';
import { refusal } from './admin-site.ts';
import { BLUETOOTH, checkedSite } from './checks-support.ts';

test('a check is shown whole, as it is in force', async (t) => {
  const site = await checkedSite(t, { 'b.yaml': BLUETOOTH });
  const file = join(site.own, 'b.yaml');
  t.is(
    (await site.run(checksShow, 'bluetooth-on')).out,
    `name            bluetooth-on
title           Bluetooth is on
severity        low
state           on
profiles        server
file            ${file}
tags            radio
grace_period    1d
alert_frequency 1h
needs           plugins.radio
on_unknown      issue-after 7d

rationale
  Whoever is near can try to connect.

applies_to
  hostname:
    $regex: ^srv-

query
  $or:
    - plugins.radio.bluetooth: on
    - plugins.radio.hard: false
      plugins.radio.soft: false

remediation
  default: Switch it off
  debian: Run rfkill block bluetooth
`,
  );
  t.deepEqual(await site.json(checksShow, 'bluetooth-on'), {
    name: 'bluetooth-on',
    title: 'Bluetooth is on',
    severity: 'low',
    rationale: 'Whoever is near can try to connect.',
    profiles: ['server'],
    on: true,
    off_by: null,
    file,
    shipped: false,
    replaces: null,
    overridden_by: [],
    rule: {
      query: {
        $or: [{ 'plugins.radio.bluetooth': 'on' }, { 'plugins.radio.hard': false, 'plugins.radio.soft': false }],
      },
      needs: ['plugins.radio'],
      unknown: null,
      on_unknown: 'issue-after 7d',
      applies_to: { hostname: { $regex: '^srv-' } },
    },
    grace_period: '1d',
    alert_frequency: '1h',
    tags: ['radio'],
    remediation: { default: 'Switch it off', debian: 'Run rfkill block bluetooth' },
  });
});

test('the files that changed a check are shown, and which one it took the place of', async (t) => {
  const site = await checkedSite(t, {
    'f.yaml': 'overrides: firewall-disabled\nseverity: low\n',
    'u.yaml': 'name: unencrypted-hard-drive\ntitle: Ours\nquery: { plugins.hd_encryption.encrypted: false }\n',
  });
  const { out } = await site.run(checksShow, 'firewall-disabled');
  t.regex(out, /^severity +low$/m);
  t.regex(out, /^file +checks\.d\/firewall-disabled\.yaml \(shipped\)\nchanged by +\/\S+\/f\.yaml$/m);
  t.regex(
    (await site.run(checksShow, 'unencrypted-hard-drive')).out,
    /^in place of +checks\.d\/unencrypted-hard-drive\.yaml$/m,
  );
});

test('an issue that the product itself raises has a card, too', async (t) => {
  const site = await checkedSite(t);
  t.regex((await site.run(checksShow, 'not-reporting')).out, /^raised by +the product itself$/m);
  t.like(await site.json(checksShow, 'not-reporting'), { rule: null, on: true });
});

test('a name that no check has is told, with the one that may be meant', async (t) => {
  const site = await checkedSite(t);
  t.is(
    await refusal(t, site.run(checksShow, 'firewal-disabled')),
    'cannot find a check named firewal-disabled; did you mean firewall-disabled?',
  );
  t.regex(await refusal(t, site.run(checksShow, 'x')), /`penguindome checks list` shows those there are$/);
});
