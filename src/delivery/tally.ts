import type { OutboxEntry, Sent, Target } from '../core/delivery.ts';
import type { Log } from '../core/events.ts';

/** Counts what a run did, and logs what went wrong. */
export interface Tally {
  delivered(entries: number): void;
  failed(entries: readonly OutboxEntry[], failure: string): void;
  givenUp(entries: readonly OutboxEntry[], failure: string): void;
  sent(): Sent;
}

export function tallyOf(log: Log): Tally {
  const counts = { delivered: 0, failed: 0, given_up: 0 };
  /** receiver → its last failure, and how many entries failed */
  const problems = new Map<string, { failure: string; entries: number }>();
  const note = (entries: readonly OutboxEntry[], failure: string) => {
    const [first] = entries;
    if (first === undefined) return;
    const name = nameOf(first);
    problems.set(name, { failure, entries: entries.length + (problems.get(name)?.entries ?? 0) });
  };
  return {
    delivered(entries) {
      counts.delivered += entries;
    },
    failed(entries, failure) {
      counts.failed += entries.length;
      note(entries, failure);
      const [first] = entries;
      if (first !== undefined) {
        const { channel, receiver, attempts } = first;
        const alerts = entries.length;
        log.event('delivery.failed', { channel, receiver, alerts, attempts: attempts + 1, reason: failure });
      }
    },
    givenUp(entries, failure) {
      counts.given_up += entries.length;
      note(entries, failure);
      for (const { key, channel, receiver, hostname, name } of entries) {
        log.event('delivery.given-up', { key, channel, receiver, host: hostname, issue: name, reason: failure });
      }
    },
    sent: () => ({
      ...counts,
      problems: [...problems].map(
        ([name, { failure, entries }]) => `${name}: ${failure} (${entries} alert${entries === 1 ? '' : 's'})`,
      ),
    }),
  };
}

/** `mail to admins@example.org`, `webhook ops`. */
export function nameOf({ channel, receiver }: Target): string {
  switch (channel) {
    case 'journal':
      return 'journal';
    case 'webhook':
      return `webhook ${receiver}`;
    case 'mail':
    case 'user-mail':
      return `${channel === 'mail' ? 'mail' : 'mail to the user'} ${receiver}`;
    default:
      return channel satisfies never;
  }
}
