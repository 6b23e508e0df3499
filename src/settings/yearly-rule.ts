import { days } from '../core/duration.ts';

/** A recurrence rule (RFC 5545 section 3.3.10) of a day that comes every year, or every few. */
export interface YearlyRule {
  interval: number;
  /** how often at most, the first time included */
  count?: number;
  /** last day */
  until?: string;
  /** 1 to 12; that of the first time where absent */
  month?: number;
  /** 1 to 31, or from the month's end: -1 is its last */
  monthDay?: number;
  /** the third Monday: `{nth: 3, weekday: 0}`; from the month's end: -1 */
  weekday?: { nth: number; weekday: number };
}

const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** @returns what is wrong with it, as text */
export function readYearlyRule(text: string): YearlyRule | string {
  const parts = text.toUpperCase().split(';').filter(Boolean);
  const rule: YearlyRule = { interval: 1 };
  if (!parts.includes('FREQ=YEARLY')) return `expected FREQ=YEARLY, found ${text}`;
  for (const part of parts) {
    const [name = '', value = ''] = part.split('=');
    const fault = readPart(rule, name, value);
    if (fault !== undefined) return fault;
  }
  if (rule.weekday !== undefined && rule.month === undefined) return 'expected BYMONTH beside BYDAY';
  if (rule.weekday !== undefined && rule.monthDay !== undefined) return 'expected one of BYDAY and BYMONTHDAY';
  if (rule.count !== undefined && rule.until !== undefined) return 'expected one of COUNT and UNTIL';
  return rule;
}

function readPart(rule: YearlyRule, name: string, value: string): string | undefined {
  const number = /^-?\d{1,4}$/.test(value) ? Number(value) : Number.NaN;
  const wrong = `cannot use ${name}=${value} of a rule`;
  switch (name) {
    case 'FREQ':
    case 'WKST':
      return undefined;
    case 'INTERVAL':
    case 'COUNT':
      if (!(number >= 1)) return wrong;
      rule[name === 'COUNT' ? 'count' : 'interval'] = number;
      return undefined;
    case 'UNTIL': {
      const until = readDate(value.slice(0, 8));
      if (until === undefined || !/^\d{8}(T\d{6}Z?)?$/.test(value)) return wrong;
      rule.until = until;
      return undefined;
    }
    case 'BYMONTH':
      if (!(number >= 1 && number <= 12)) return wrong;
      rule.month = number;
      return undefined;
    case 'BYMONTHDAY':
      if (!(Math.abs(number) >= 1 && Math.abs(number) <= 31)) return wrong;
      rule.monthDay = number;
      return undefined;
    case 'BYDAY': {
      const [, nth = '', day = ''] = /^([+-]?[1-5])([A-Z]{2})$/.exec(value) ?? [];
      const weekday = WEEKDAYS.indexOf(day);
      if (nth === '' || weekday === -1) return wrong;
      rule.weekday = { nth: Number(nth), weekday };
      return undefined;
    }
    default:
      return wrong;
  }
}

/** The days on which it comes, the first included, up to the end of a year. A day that a year does not have is left out. */
export function daysOf(rule: YearlyRule, first: string, lastYear: number): string[] {
  const found = [first];
  const [year = 0, month = 1, day = 1] = first.split('-').map(Number);
  for (let at = year; at <= lastYear; at += rule.interval) {
    if (rule.count !== undefined && found.length >= rule.count) break;
    const date = dayIn(at, rule, { month, day });
    if (date === undefined || date <= first) continue;
    if (rule.until !== undefined && date > rule.until) break;
    found.push(date);
  }
  return found;
}

function dayIn(year: number, rule: YearlyRule, first: { month: number; day: number }): string | undefined {
  const month = rule.month ?? first.month;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const fromStart = (day: number) => (day < 0 ? length + 1 + day : day);
  const day =
    rule.weekday === undefined
      ? fromStart(rule.monthDay ?? first.day)
      : nthWeekday({ year, month, length }, rule.weekday);
  if (day < 1 || day > length) return undefined;
  return toText(Date.UTC(year, month - 1, day));
}

function nthWeekday(
  { year, month, length }: { year: number; month: number; length: number },
  { nth, weekday }: { nth: number; weekday: number },
): number {
  const weekdayOf = (day: number) => (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
  if (nth > 0) return 1 + ((weekday - weekdayOf(1) + 7) % 7) + 7 * (nth - 1);
  return length - ((weekdayOf(length) - weekday + 7) % 7) + 7 * (nth + 1);
}

/** `20261225` → `2026-12-25`. @returns undefined where there is no such day */
export function readDate(text: string): string | undefined {
  const [, year = '', month = '', day = ''] = /^(\d{4})(\d{2})(\d{2})$/.exec(text) ?? [];
  const written = `${year}-${month}-${day}`;
  const date = new Date(`${written}T00:00:00Z`);
  return Number.isNaN(date.getTime()) || toText(date.getTime()) !== written ? undefined : written;
}

/** That many days later. */
export function laterDate(date: string, count: number): string {
  return toText(Date.parse(`${date}T00:00:00Z`) + days(count));
}

function toText(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
