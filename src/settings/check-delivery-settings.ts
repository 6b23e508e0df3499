import { minutes, seconds } from '../core/duration.ts';
import { isMailAddress } from '../core/mail-address.ts';
import type { SmtpSettings, WebhookSettings } from './delivery-settings.ts';
import type { KeyPath } from './read-yaml.ts';
import type { ServerSettings } from './server-settings.ts';

interface Contradiction {
  path: KeyPath;
  expected: string;
  found?: string;
}

const LOCAL = new Set(['127.0.0.1', '::1', 'localhost']);

/** What of `delivery` does not go together. */
export function checkDelivery({ delivery, audit }: ServerSettings): Contradiction[] {
  const wrong: Contradiction[] = [];
  const { mail, user_mail, smtp, webhooks, timeout, give_up_after } = delivery;
  if ((mail?.enabled === true || user_mail.enabled) && smtp === undefined) {
    wrong.push({ path: ['delivery', 'smtp'], expected: 'a mail server (host, from), as mail is switched on' });
  }
  if (mail?.enabled === true && mail.to.length === 0 && auditMail(audit.mail).length === 0) {
    wrong.push({ path: ['delivery', 'mail', 'to'], expected: 'at least one mail address, here or in audit.mail' });
  }
  if (timeout < seconds(1) || timeout > minutes(10)) {
    wrong.push({ path: ['delivery', 'timeout'], expected: 'a duration from 1s to 10m' });
  }
  if (give_up_after < minutes(1)) wrong.push({ path: ['delivery', 'give_up_after'], expected: 'at least 1m' });
  return [...wrong, ...(smtp === undefined ? [] : checkSmtp(smtp)), ...checkWebhooks(webhooks)];
}

/** The addresses in `audit.mail`, which setup asks for: one, or several with commas. */
export function auditMail(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter(isMailAddress);
}

function checkSmtp({ host, tls, allow_plaintext, user, password_file }: SmtpSettings): Contradiction[] {
  const wrong: Contradiction[] = [];
  if (tls === 'none' && !allow_plaintext && !LOCAL.has(host)) {
    wrong.push({
      path: ['delivery', 'smtp', 'tls'],
      expected: 'starttls or implicit, unless the mail server is on this machine or allow_plaintext is true',
    });
  }
  if (user === undefined && password_file !== undefined) {
    wrong.push({ path: ['delivery', 'smtp', 'user'], expected: 'a user beside password_file' });
  }
  return wrong;
}

function checkWebhooks(webhooks: readonly WebhookSettings[]): Contradiction[] {
  return webhooks.flatMap(({ name, url, url_file, allow_plaintext }, index) => {
    const path = ['delivery', 'webhooks', index];
    const wrong: Contradiction[] = [];
    if (webhooks.findIndex((other) => other.name === name) < index) {
      wrong.push({ path: [...path, 'name'], expected: 'a name of its own', found: `${name}, which another one has` });
    }
    if (url !== undefined && url_file !== undefined) {
      wrong.push({ path: [...path, 'url_file'], expected: 'either url or url_file', found: 'both' });
    }
    const problem = url === undefined ? undefined : urlProblem(url, allow_plaintext);
    if (problem !== undefined) wrong.push({ path: [...path, 'url'], expected: problem, found: 'another one' });
    return wrong;
  });
}

/** What a webhook's URL has to be, where it is not; it is never shown, since it may be a secret. */
export function urlProblem(text: string, allowPlaintext: boolean): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') return 'a URL that starts with https://';
  if (url.username !== '' || url.password !== '') return 'a URL without a user and a password';
  if (url.protocol === 'http:' && !allowPlaintext) return 'a URL that starts with https://, or allow_plaintext: true';
  return undefined;
}
