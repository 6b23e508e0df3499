import { createHash } from 'node:crypto';
import type { OpenIssue } from '../../src/core/audit.ts';
import type { OutboxEntry } from '../../src/core/delivery.ts';

export const ALERTED_AT = new Date('2026-11-23T12:00:00Z');

export function anAlert(changes: Partial<OpenIssue> = {}): OpenIssue {
  return {
    hostname: 'lap-7',
    name: 'firewall-disabled',
    opened_at: new Date('2026-11-20T09:00:00Z'),
    title: 'The firewall is off',
    severity: 'high',
    due_at: new Date('2026-11-20T09:00:00Z'),
    suspended: false,
    remediation: 'Switch it on:\nsystemctl enable --now nftables',
    ...changes,
  };
}

/** So many alerts, each of a host of its own. */
export function someAlerts(count: number): OpenIssue[] {
  return Array.from({ length: count }, (_, index) => anAlert({ hostname: `host-${index}` }));
}

export function anEntry(changes: Partial<OutboxEntry> = {}): OutboxEntry {
  const { hostname = 'lap-7', name = 'firewall-disabled', receiver = 'ops', channel = 'webhook' } = changes;
  const key = createHash('sha256').update(`${hostname} ${name} ${channel} ${receiver}`).digest('hex');
  return {
    key,
    message: key,
    channel,
    receiver,
    hostname,
    name,
    opened_at: new Date('2026-11-20T09:00:00.007Z'),
    title: 'The firewall is off',
    severity: 'high',
    created_at: ALERTED_AT,
    next_at: ALERTED_AT,
    attempts: 0,
    ...changes,
  };
}
