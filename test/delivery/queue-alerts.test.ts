import test from 'ava';
import type { OutboxEntry } from '../../src/core/delivery.ts';
import { queueAlerts } from '../../src/delivery/queue-alerts.ts';
import { serverSettings } from '../../src/settings/server-settings.ts';
import { ALERTED_AT, anAlert, someAlerts } from '../support/alerts.ts';
import { temporaryStore } from '../support/stores.ts';
import { realRandom } from '../support/world.ts';

const SMTP = { host: '127.0.0.1', tls: 'none', from: 'dome@example.org' };
const HOOK = { url: 'https://hooks.example/x' };

function settingsWith(delivery: object) {
  return serverSettings.parse({
    ...{ public_url: 'https://dome.example:8443', ports: [{ port: 8443, tls: false }] },
    ...{ store: { kind: 'embedded', file: 'x' }, state: 's', pki: 'p', keys: 'k', delivery },
  });
}

const USERS = new Map([
  ['lap-7', ['anna@example.org']],
  ['lap-8', ['anna@example.org', 'bert@example.org']],
  ['lap-9', ['no address\r\nBcc: x@example.org']],
]);

async function site(t: Parameters<typeof temporaryStore>[0], delivery: object) {
  const { outbox } = await temporaryStore(t);
  const emailsOf = async (hostnames: readonly string[]) =>
    new Map([...USERS].filter(([hostname]) => hostnames.includes(hostname)));
  const deps = { settings: settingsWith(delivery), outbox, emailsOf, random: realRandom };
  return {
    queue: (alerts: Parameters<typeof queueAlerts>[1], { email = false, at = ALERTED_AT } = {}) =>
      queueAlerts(deps, alerts, { at, email }),
    async entries() {
      const found: OutboxEntry[] = [];
      for await (const entry of outbox.list({ delivered: true })) found.push(entry);
      return found;
    },
  };
}

test('each receiver gets what is bad enough for it, and nobody who is switched off gets anything', async (t) => {
  const { queue, entries } = await site(t, {
    smtp: SMTP,
    journal: {},
    mail: { to: ['a@example.org', 'b@example.org'], severity: 'high' },
    webhooks: [
      { name: 'all', ...HOOK },
      { name: 'worst', severity: 'critical', ...HOOK },
      { name: 'off', enabled: false, ...HOOK },
    ],
  });
  const alerts = (['critical', 'high', 'low'] as const).map((severity) => anAlert({ name: severity, severity }));
  t.deepEqual(await queue(alerts), { queued: 3 + 2 + 2 + 3 + 1, problems: [] });
  const got = (await entries()).map(({ receiver, name }) => `${receiver} ${name}`).sort();
  t.deepEqual(got, [
    ...['a@example.org critical', 'a@example.org high', 'all critical', 'all high', 'all low'],
    ...['b@example.org critical', 'b@example.org high', 'journal critical', 'journal high', 'journal low'],
    'worst critical',
  ]);
});

test('an alert is queued once, until it is marked; then the next one is another', async (t) => {
  const { queue, entries } = await site(t, { webhooks: [{ name: 'ops', ...HOOK }] });
  const later = { at: new Date(ALERTED_AT.getTime() + 3_600_000) };
  t.is((await queue(someAlerts(3))).queued, 3);
  t.is((await queue(someAlerts(4), later)).queued, 1, 'a run after one that was killed before it had marked them');
  const marked = someAlerts(4).map((alert) => ({ ...alert, alerted_at: ALERTED_AT }));
  t.is((await queue(marked, later)).queued, 4);
  const again = someAlerts(4).map((alert) => ({ ...alert, opened_at: new Date(0) }));
  t.is((await queue(again, later)).queued, 4, 'another episode');
  const keys = (await entries()).map(({ key }) => key);
  t.is(new Set(keys).size, 12);
  t.true(keys.every((key) => /^[0-9a-f]{64}$/.test(key)));
});

test('a mail holds a thousand alerts, a post to Slack twenty, a plain webhook one', async (t) => {
  const { queue, entries } = await site(t, {
    smtp: SMTP,
    mail: { to: ['a@example.org'] },
    webhooks: [
      { name: 'slack', format: 'slack', ...HOOK },
      { name: 'plain', ...HOOK },
    ],
  });
  await queue(someAlerts(1001));
  const messages = new Map<string, Set<string>>();
  for (const { receiver, message } of await entries()) {
    messages.set(receiver, (messages.get(receiver) ?? new Set()).add(message));
  }
  const counts = Object.fromEntries([...messages].map(([receiver, set]) => [receiver, set.size]));
  t.deepEqual(counts, { 'a@example.org': 2, slack: 51, plain: 1001 });
});

test('users get the issues of their own hosts, where they are to be mailed', async (t) => {
  const alerts = ['lap-7', 'lap-8', 'lap-9', 'server-port-443'].map((hostname) => anAlert({ hostname }));
  const off = await site(t, { smtp: SMTP });
  t.is((await off.queue(alerts)).queued, 0);
  const { queued, problems } = await off.queue(alerts, { email: true });
  t.is(queued, 3);
  t.deepEqual(problems, ['cannot mail the user of lap-9: its user_email is no mail address']);
  t.deepEqual(
    (await off.entries()).map(({ channel, receiver, hostname }) => `${channel} ${receiver} ${hostname}`).sort(),
    ['user-mail anna@example.org lap-7', 'user-mail anna@example.org lap-8', 'user-mail bert@example.org lap-8'],
  );
  const on = await site(t, { smtp: SMTP, user_mail: { enabled: true, severity: 'critical' } });
  t.is((await on.queue(alerts)).queued, 0, 'high is not bad enough');
  const without = await site(t, {});
  t.deepEqual(await without.queue(alerts, { email: true }), {
    queued: 0,
    problems: ['cannot mail users: the settings name no mail server (delivery.smtp)'],
  });
});

test('what is kept of an alert is what is sent: no evidence', async (t) => {
  const { queue, entries } = await site(t, { webhooks: [{ name: 'ops', ...HOOK }] });
  await queue([anAlert({ evidence: { 'plugins.users': ['anna'] }, reason: 'r' })]);
  t.notRegex(JSON.stringify(await entries()), /anna/);
});
