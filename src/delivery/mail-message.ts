import type { OutboxEntry } from '../core/delivery.ts';
import { digestOf } from './alert-key.ts';
import { escapeHtml, escapeLine, escapeText } from './escape.ts';
import type { Templates } from './load-templates.ts';
import { templateData } from './template-data.ts';
import type { Occasion } from './webhook-message.ts';

export interface MailMessage {
  to: string;
  subject: string;
  text: string;
  html: string;
  messageId: string;
}

/** One mail of entries of one message. Its id is that of what is in it: a mail that is sent again has the same. */
export function mailMessage(
  templates: Templates,
  entries: readonly OutboxEntry[],
  { from, ...occasion }: Occasion & { from: string },
): MailMessage {
  const [first] = entries;
  if (first === undefined) throw new TypeError('expected a mail to be about something');
  const kind = first.channel === 'user-mail' ? 'user-mail' : 'mail';
  const data = templateData(entries, occasion);
  const domain = from.slice(from.lastIndexOf('@') + 1);
  return {
    to: first.receiver,
    subject: escapeLine(templates[`${kind}.subject`](data, escapeLine)).slice(0, LONGEST_SUBJECT),
    text: templates[`${kind}.txt`](data, escapeText),
    html: templates[`${kind}.html`](data, escapeHtml),
    messageId: `<${digestOf(entries.map(({ key }) => key)).slice(0, 40)}@${domain}>`,
  };
}

const LONGEST_SUBJECT = 200;
