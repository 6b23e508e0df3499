import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { loadSmtpPassword, loadWebhookSecrets } from '../../src/settings/delivery-secrets.ts';
import type { SmtpSettings, WebhookSettings } from '../../src/settings/delivery-settings.ts';
import { parseServerSettings } from '../../src/settings/load-server-settings.ts';
import { SettingsError } from '../../src/settings/settings-error.ts';
import { scratchFolder } from '../support/scratch.ts';

const BASE = `
public_url: https://dome.example:8443
ports: [{port: 8443, tls: false}]
store: {kind: embedded, file: x.db}
state: state
pki: pki
keys: keys
`;

const parse = (delivery: string) => parseServerSettings(`${BASE}${delivery}\n`, '/etc/penguindome/server.yml');

test('without a word about delivery nothing is switched on', (t) => {
  const { delivery } = parse('');
  t.deepEqual(delivery, parse('delivery:').delivery);
  t.is(delivery.mail, undefined);
  t.is(delivery.journal, undefined);
  t.false(delivery.user_mail.enabled);
  t.deepEqual(delivery.webhooks, []);
});

test('the example of docs/delivery.md is valid, and its files are below the settings folder', async (t) => {
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(await readFile('docs/delivery.md', 'utf8')) ?? [];
  const { delivery } = parse(example);
  t.is(delivery.smtp?.password_file, '/etc/penguindome/keys/smtp-password');
  t.is(delivery.webhooks[0]?.secret_file, '/etc/penguindome/keys/webhook-ops');
  t.is(delivery.webhooks[1]?.url_file, '/etc/penguindome/keys/webhook-chat-url');
  const uncommented = example.replaceAll(/^( *)# ([a-z_]+: )/gm, '$1$2');
  t.is(parse(uncommented).delivery.templates, '/etc/penguindome/templates');
});

const SMTP = 'smtp: {host: mail.example.org, from: a@example.org}';
const WRONG: [delivery: string, problem: RegExp][] = [
  ['delivery: {mail: {to: [a@example.org]}}', /delivery\.smtp: expected a mail server/],
  ['delivery: {user_mail: {enabled: true}}', /delivery\.smtp: expected a mail server/],
  [`delivery: {mail: {}, ${SMTP}}`, /delivery\.mail\.to: expected at least one mail address/],
  [`delivery: {mail: {to: ["a@b\\nBcc: c@d"]}, ${SMTP}}`, /delivery\.mail\.to\.0: expected a mail address/],
  ['delivery: {smtp: {host: m.example, from: a@b, tls: none}}', /delivery\.smtp\.tls: expected starttls or implicit/],
  ['delivery: {smtp: {host: m.example, from: a@b, password_file: x}}', /delivery\.smtp\.user: expected a user/],
  [
    'delivery: {webhooks: [{name: a, url: "http://x.example"}]}',
    /webhooks\.0\.url: expected a URL that starts with https/,
  ],
  [
    'delivery: {webhooks: [{name: a, url: "https://u:p@x.example"}]}',
    /webhooks\.0\.url: expected a URL without a user/,
  ],
  ['delivery: {webhooks: [{name: a, url: "https://x.example", url_file: x}]}', /either url or url_file/],
  [
    'delivery: {webhooks: [{name: a, url_file: x}, {name: a, url_file: y}]}',
    /webhooks\.1\.name: expected a name of its/,
  ],
  ['delivery: {webhooks: [{name: "a b", url_file: x}]}', /webhooks\.0\.name: expected a name of letters/],
  ['delivery: {timeout: 0s}', /delivery\.timeout: expected a duration from 1s/],
  ['delivery: {give_up_after: 1s}', /delivery\.give_up_after: expected at least 1m/],
  ['delivery: {journal: {severity: bad}}', /delivery\.journal\.severity: expected critical, high, medium or low/],
];

for (const [delivery, problem] of WRONG) {
  test(`refused: ${delivery}`, (t) => {
    const error = t.throws(() => parse(delivery), { instanceOf: SettingsError });
    t.regex(error?.message ?? '', problem);
    t.notRegex(error?.message ?? '', /u:p@/);
  });
}

test('plain text is for this machine, or for who says so', (t) => {
  for (const host of ['127.0.0.1', 'localhost', '"::1"']) {
    t.notThrows(() => parse(`delivery: {smtp: {host: ${host}, from: a@b, tls: none}}`));
  }
  t.notThrows(() => parse('delivery: {smtp: {host: m.example, from: a@b, tls: none, allow_plaintext: true}}'));
});

test('mail goes to audit.mail where delivery.mail names nobody', (t) => {
  t.notThrows(() => parse(`audit: {mail: "a@example.org, b@example.org"}\ndelivery: {mail: {}, ${SMTP}}`));
});

test('secrets come from files of their own, or from credentials, which go before them', async (t) => {
  const folder = await scratchFolder(t);
  const credentials = join(folder, 'credentials');
  await mkdir(credentials);
  await writeFile(join(folder, 'password'), 'from the file\n', { mode: 0o600 });
  const smtp: SmtpSettings = {
    ...{ host: 'm', tls: 'starttls', allow_plaintext: false, from: 'a@b' },
    ...{ user: 'u', password_file: join(folder, 'password') },
  };
  t.is(await loadSmtpPassword(smtp, credentials), 'from the file');
  await writeFile(join(credentials, 'smtp-password'), 'from the credential');
  t.is(await loadSmtpPassword(smtp, credentials), 'from the credential');
  const { password_file: _, ...without } = smtp;
  await t.throwsAsync(loadSmtpPassword(without, undefined), { message: /credential smtp-password/ });
  await writeFile(join(folder, 'open'), 'x', { mode: 0o644 });
  await t.throwsAsync(loadSmtpPassword({ ...smtp, password_file: join(folder, 'open') }, undefined), {
    message: /others may read it/,
  });

  const hook: WebhookSettings = {
    ...{ name: 'ops', enabled: true, severity: 'low', format: 'json' },
    ...{ allow_addresses: [], allow_plaintext: false },
  };
  await t.throwsAsync(loadWebhookSecrets(hook, credentials), { message: /webhook-ops-url/ });
  await writeFile(join(credentials, 'webhook-ops-url'), 'https://hooks.example/T0/B0\n');
  await t.throwsAsync(loadWebhookSecrets(hook, credentials), { message: /webhook-ops-secret/ });
  await writeFile(join(credentials, 'webhook-ops-secret'), 'short');
  await t.throwsAsync(loadWebhookSecrets(hook, credentials), { message: /openssl rand -hex 32/ });
  await writeFile(join(credentials, 'webhook-ops-secret'), '0123456789abcdef\n');
  const { url, secret } = await loadWebhookSecrets(hook, credentials);
  t.deepEqual([url.href, secret], ['https://hooks.example/T0/B0', '0123456789abcdef']);
  await writeFile(join(credentials, 'webhook-ops-url'), 'http://hooks.example/T0/secret');
  const error = await t.throwsAsync(loadWebhookSecrets(hook, credentials), { message: /starts with https/ });
  t.notRegex(error?.message ?? '', /T0/);
});
