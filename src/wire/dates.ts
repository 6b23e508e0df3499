import { type Fields, isFields, setField, type Value } from '../core/value.ts';

/** A date, a time and an offset, as ISO 8601 writes an instant; Python's isoformat() gives six digits of a second. */
const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)$/;

/**
 * Reported JSON as it is to be stored: a string under a key that ends in `_at` becomes a Date where it is an ISO 8601 instant
 * (a date, a time and an offset; kept to the millisecond); any other stays what it is.
 * @throws TypeError for what no store can hold: a number beyond those that a double reaches
 */
export function decodeDates(reported: unknown): Value {
  if (Array.isArray(reported)) return reported.map((member) => decodeDates(member));
  if (typeof reported === 'number' && !Number.isFinite(reported)) {
    throw new TypeError('cannot hold a number that large');
  }
  if (isFields(reported)) {
    const decoded: Fields = {};
    for (const [key, value] of Object.entries(reported)) {
      const instant = key.endsWith('_at') && typeof value === 'string' ? parseInstant(value) : undefined;
      setField(decoded, key, instant ?? decodeDates(value));
    }
    return decoded;
  }
  if (reported === null || reported instanceof Date) return reported;
  if (typeof reported === 'string' || typeof reported === 'number' || typeof reported === 'boolean') return reported;
  throw new TypeError(`cannot hold a ${typeof reported}`);
}

/** @returns undefined where the text is no instant, or one that no calendar has, such as February 30 */
export function parseInstant(text: string): Date | undefined {
  const match = INSTANT.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset = 'Z'] = match;
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const local = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
  const minutesAhead = offsetMinutes(offset);
  // Date takes February 30 for March 2, and 24:00 for the next day: what is not written the same way again was no such time.
  if (minutesAhead === undefined || Number.isNaN(local.getTime())) return undefined;
  if (!local.toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:${second}`)) return undefined;
  return new Date(local.getTime() - minutesAhead * 60_000);
}

function offsetMinutes(offset: string): number | undefined {
  if (offset === 'Z') return 0;
  const digits = offset.slice(1).replace(':', '').padEnd(4, '0');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
