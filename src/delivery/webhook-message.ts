import { createHmac } from 'node:crypto';
import type { OutboxEntry } from '../core/delivery.ts';
import { escapeSlack } from './escape.ts';
import type { Template } from './template.ts';
import { templateData } from './template-data.ts';

export interface Occasion {
  /** the host of `public_url` */
  server: string;
  test: boolean;
}

/** The body of a plain webhook: the same bytes at each attempt. docs/delivery.md shows it. */
export function jsonBody(entry: OutboxEntry, { server, test }: Occasion): string {
  const { key, hostname, name, title, severity, opened_at, created_at, reason, remediation } = entry;
  return JSON.stringify({
    type: test ? 'test' : 'alert',
    id: key,
    server,
    at: created_at,
    host: hostname,
    issue: name,
    title,
    severity,
    opened_at,
    ...(reason === undefined ? {} : { reason }),
    ...(remediation === undefined ? {} : { remediation }),
  });
}

export function slackBody(template: Template, entries: readonly OutboxEntry[], occasion: Occasion): string {
  return JSON.stringify({ text: template(templateData(entries, occasion), escapeSlack).trim() });
}

/** What lets the receiver tell that it was us, that it is whole, and when it was sent. @param secret absent: nothing is signed */
export function signatureHeaders(body: string, secret: string | undefined, now: Date): Record<string, string> {
  if (secret === undefined) return {};
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  return { 'penguindome-timestamp': timestamp, 'penguindome-signature': `v1=${mac}` };
}
