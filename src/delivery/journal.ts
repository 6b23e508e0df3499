import type { Severity } from '../core/audit.ts';
import type { OutboxEntry } from '../core/delivery.ts';
import { EVENTS, type EventFields, type EventName, type Log } from '../core/events.ts';
import type { Lane } from './lane.ts';

/** Priorities of syslog (RFC 5424 section 6.2.1), which systemd reads at the begin of a line: sd-daemon(3). */
const OF_LEVEL = { error: 3, warn: 4, info: 6, debug: 7 } as const;
const OF_SEVERITY: Record<Severity, number> = { critical: 2, high: 3, medium: 4, low: 5 };

const LONGEST_FIELD = 400;
const UNSAFE = /[\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Events as lines for the journal: `<4>{"event", "message", …fields}`. @param write undefined where nobody listens */
export function journalLog(write: ((line: string) => void) | undefined): Log {
  return {
    event(name, fields = {}) {
      write?.(lineOf(name, fields, OF_LEVEL[EVENTS[name][0]]));
    },
  };
}

/** Each alert a line. The journal is this machine's own, and takes whatever it is given. */
export function journalLane(write: (line: string) => void): Lane {
  return {
    atOnce: 20,
    send: async (entries, { test }) => {
      for (const entry of entries) write(alertLine(entry, test));
    },
  };
}

function alertLine({ key, hostname, name, severity, title, opened_at, reason }: OutboxEntry, test: boolean): string {
  const fields = { id: key, host: hostname, issue: name, severity, title, since: opened_at.toISOString(), reason };
  return lineOf('issue.alerted', test ? { test, ...fields } : fields, OF_SEVERITY[severity]);
}

function lineOf(event: EventName, fields: EventFields, priority: number): string {
  const text = JSON.stringify({ event, message: EVENTS[event][1], ...shortened(fields) });
  const safe = text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `<${priority}>${safe}\n`;
}

function shortened(fields: EventFields): EventFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      typeof value === 'string' && value.length > LONGEST_FIELD ? `${value.slice(0, LONGEST_FIELD)}…` : value,
    ]),
  );
}
