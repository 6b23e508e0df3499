import { createHash } from 'node:crypto';
import type { OpenIssue } from '../core/audit.ts';
import type { Target } from '../core/delivery.ts';

/**
 * The idempotency key of an alert for one receiver, hex. The time that sets one alert of an episode apart from the next is that of the alert
 * before: it stays the same until this one is marked, so that a run that was cut off, or two at once, make the same key.
 */
export function alertKey(
  { hostname, name, opened_at, alerted_at }: Pick<OpenIssue, 'hostname' | 'name' | 'opened_at' | 'alerted_at'>,
  { channel, receiver }: Target,
): string {
  return digestOf([
    'alert',
    hostname,
    name,
    opened_at.toISOString(),
    alerted_at?.toISOString() ?? '',
    channel,
    receiver,
  ]);
}

/** Hex SHA-256 of texts, none of which can pass for a part of its neighbour. */
export function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
