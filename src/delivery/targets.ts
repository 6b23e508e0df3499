import { SEVERITIES, type Severity } from '../core/audit.ts';
import type { Target } from '../core/delivery.ts';
import { auditMail } from '../settings/check-delivery-settings.ts';
import type { ServerSettings } from '../settings/server-settings.ts';

/** A receiver, and what it wants. */
export interface Wish extends Target {
  /** of this severity, and worse */
  severity: Severity;
  /** how many alerts go into one message */
  alerts: number;
}

type Settings = Pick<ServerSettings, 'audit' | 'delivery'>;

/** A mail of a thousand alerts has some hundred KB. */
export const ALERTS_IN_A_MAIL = 1000;
/** Slack shows some 4,000 characters at once. */
const ALERTS_IN_A_POST = 20;

/** All receivers that are switched on, but for hosts' users. */
export function targetsOf({ audit, delivery: { journal, mail, webhooks } }: Settings): Wish[] {
  const addresses = mail === undefined || mail.to.length > 0 ? (mail?.to ?? []) : auditMail(audit.mail);
  return [
    ...(journal?.enabled === true
      ? [{ channel: 'journal' as const, receiver: 'journal', severity: journal.severity, alerts: 1 }]
      : []),
    ...(mail?.enabled === true
      ? [...new Set(addresses)].map((receiver) => ({
          channel: 'mail' as const,
          receiver,
          severity: mail.severity,
          alerts: ALERTS_IN_A_MAIL,
        }))
      : []),
    ...webhooks
      .filter(({ enabled }) => enabled)
      .map(({ name, severity, format }) => ({
        channel: 'webhook' as const,
        receiver: name,
        severity,
        alerts: format === 'slack' ? ALERTS_IN_A_POST : 1,
      })),
  ];
}

/** Whether an alert is as bad as that. */
export function reaches(severity: Severity, least: Severity): boolean {
  return SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least);
}
