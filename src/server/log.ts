import { type DestinationStream, type Logger, pino } from 'pino';
import { EVENTS, type EventFields, type EventName, type Log } from '../core/events.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ServerLog extends Log {
  setLevel(level: LogLevel): void;
}

const LONGEST_FIELD = 400;

/** What JSON leaves as it is, but a terminal or a reader obeys: DEL and C1 controls, line separators, and what turns the direction of text. */
const UNSAFE = /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One line of JSON for each event, to `destination`: `{"level", "time", "event", "message", …fields}`. */
export function createLog(destination: DestinationStream, level: LogLevel): ServerLog {
  const logger: Logger = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  return {
    event(name: EventName, fields: EventFields = {}) {
      const [severity, sentence] = EVENTS[name];
      if (!logger.isLevelEnabled(severity)) return;
      logger[severity]({ event: name, ...encodeFields(fields) }, sentence);
    },
    setLevel(next) {
      logger.level = next;
    },
  };
}

function encodeFields(fields: EventFields): EventFields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === 'string' ? encode(value) : value]),
  );
}

function encode(text: string): string {
  const short = text.length > LONGEST_FIELD ? `${text.slice(0, LONGEST_FIELD)}…` : text;
  return short.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
