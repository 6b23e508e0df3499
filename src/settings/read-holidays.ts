import { readFile, stat } from 'node:fs/promises';
import { days } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { type CalendarEvent, type Fault, type Property, readCalendar, short } from './icalendar.ts';
import { daysOf, laterDate, readDate, readYearlyRule } from './yearly-rule.ts';

/** No grace period is longer, and no issue that anybody looks at is older. */
const YEARS_AHEAD = 11;
const LARGEST_FILE = 4 * 1024 * 1024;
const LONGEST_EVENT = 366;

/**
 * The holidays of iCalendar files: the days of their all-day events.
 * @param now until some years after that, events that come every year are told
 * @returns dates as `YYYY-MM-DD`; `problems`: what cannot be used, with file and line; the rest counts
 */
export async function readHolidays(
  files: readonly string[],
  now: Date,
): Promise<{ holidays: string[]; problems: string[] }> {
  const holidays = new Set<string>();
  const problems: string[] = [];
  for (const file of files) {
    try {
      if ((await stat(file)).size > LARGEST_FILE) throw new RangeError(`it holds more than ${LARGEST_FILE} bytes`);
      const read = holidaysIn(await readFile(file, 'utf8'), now.getUTCFullYear() + YEARS_AHEAD);
      for (const date of read.dates) holidays.add(date);
      problems.push(...read.faults.map(({ line, reason }) => `${file}:${line}: ${reason}`));
    } catch (error) {
      problems.push(`cannot read the holidays in ${file}: ${messageOf(error)}`);
    }
  }
  return { holidays: [...holidays].sort(), problems };
}

/** @param lastYear until its end, events that come every year are told */
export function holidaysIn(text: string, lastYear: number): { dates: string[]; faults: Fault[] } {
  const { events, faults } = readCalendar(text);
  const dates = new Set<string>();
  for (const event of events) {
    const read = datesOf(event, lastYear);
    if (Array.isArray(read)) for (const date of read) dates.add(date);
    else faults.push(read);
  }
  return { dates: [...dates].sort(), faults: faults.sort((a, b) => a.line - b.line) };
}

function datesOf({ line, properties }: CalendarEvent, lastYear: number): string[] | Fault {
  const find = (name: string) => properties.find((property) => property.name === name);
  if (find('STATUS')?.value.toUpperCase() === 'CANCELLED') return [];
  const unusable = find('RECURRENCE-ID') ?? find('RDATE') ?? find('EXRULE');
  if (unusable !== undefined) return { line: unusable.line, reason: `cannot use ${unusable.name} of an event` };
  const start = find('DTSTART');
  if (start === undefined) return { line, reason: 'expected DTSTART in the event' };
  const first = dateOf(start);
  if (typeof first !== 'string') return first;
  const length = lengthOf(first, find('DTEND'), find('DURATION'));
  if (typeof length !== 'number') return length;
  const rule = find('RRULE');
  const starts = rule === undefined ? [first] : startsOf(rule, first, lastYear);
  if (!Array.isArray(starts)) return starts;
  const left = without(starts, properties);
  if (!Array.isArray(left)) return left;
  return left.flatMap((date) => Array.from({ length }, (_, day) => laterDate(date, day)));
}

function startsOf(rule: Property, first: string, lastYear: number): string[] | Fault {
  const read = readYearlyRule(rule.value);
  return typeof read === 'string' ? { line: rule.line, reason: read } : daysOf(read, first, lastYear);
}

function without(starts: readonly string[], properties: readonly Property[]): string[] | Fault {
  const except = new Set<string>();
  for (const property of properties.filter(({ name }) => name === 'EXDATE')) {
    for (const value of property.value.split(',')) {
      const date = dateOf({ ...property, value });
      if (typeof date !== 'string') return date;
      except.add(date);
    }
  }
  return starts.filter((date) => !except.has(date));
}

/** An event with a time of day is a meeting, or the afternoon off: no holiday. */
function dateOf({ name, parameters, value, line }: Property): string | Fault {
  if (parameters.get('VALUE')?.toUpperCase() !== 'DATE') {
    return { line, reason: `expected ${name};VALUE=DATE, an event of whole days, found ${short(value)}` };
  }
  return readDate(value) ?? { line, reason: `expected a date such as 20261225 in ${name}, found ${short(value)}` };
}

/** Section 3.6.1: DTEND is the day after the last; without it, and without DURATION, it is one day. */
function lengthOf(first: string, end: Property | undefined, duration: Property | undefined): number | Fault {
  if (end !== undefined) {
    const after = dateOf(end);
    if (typeof after !== 'string') return after;
    const length = (Date.parse(after) - Date.parse(first)) / days(1);
    return length >= 1 && length <= LONGEST_EVENT
      ? length
      : {
          line: end.line,
          reason: `expected DTEND 1 to ${LONGEST_EVENT} days after DTSTART, found ${short(end.value)}`,
        };
  }
  if (duration === undefined) return 1;
  const [, count = '', unit] = /^\+?P(\d{1,3})([DW])$/.exec(duration.value.toUpperCase()) ?? [];
  const length = Number(count) * (unit === 'W' ? 7 : 1);
  return length >= 1 && length <= LONGEST_EVENT
    ? length
    : { line: duration.line, reason: `expected whole days in DURATION, such as P1D, found ${short(duration.value)}` };
}
