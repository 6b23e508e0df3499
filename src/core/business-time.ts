import { days, hours, type Milliseconds, minutes } from './duration.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** When somebody is at work, as a person writes it. */
export interface BusinessHours {
  /** IANA name, such as `Europe/Berlin` */
  timeZone: string;
  days: readonly Weekday[];
  /** `HH:MM`, local time */
  from: string;
  /** `HH:MM`, local time, later than `from`; `24:00` is the end of the day */
  to: string;
  /** `YYYY-MM-DD`, local dates on which nobody is */
  holidays: readonly string[];
}

/**
 * Business time: the time that passes while somebody is at work. All else stands still, so that a machine
 * which is silent over a weekend, or an issue that opens on Friday evening, troubles nobody on Monday at nine.
 */
export interface BusinessCalendar {
  /** length of one business day by the clock on the wall: 8 h from 9 to 17 */
  readonly day: Milliseconds;
  /** business time between two instants; 0 where `end` is not after `start` */
  between(start: Date, end: Date): Milliseconds;
  /** the first instant at which that much business time has passed since `start` */
  add(start: Date, duration: Milliseconds): Date;
  /** the last instant since which that much business time has passed at `end` */
  subtract(end: Date, duration: Milliseconds): Date;
  /** business time for a period as people write it: 24 h of grace are one business day (8 business hours) */
  ofPeriod(period: Milliseconds): Milliseconds;
}

interface Window {
  opens: number;
  closes: number;
}

const DAY = days(1);
/** No period that anybody configures is longer; it ends the search where holidays leave no day to work on. */
const HORIZON_DAYS = 400 * 366;

/** @throws RangeError where no time would ever be business time, or the time zone is unknown */
export function businessCalendar(spec: BusinessHours): BusinessCalendar {
  const windowOf = windows(spec);
  const dayOf = localDays(spec.timeZone);
  const day = minutesOf(spec.to) - minutesOf(spec.from);
  return {
    day,
    ofPeriod: (period) => (period * day) / DAY,
    between(start, end) {
      let passed = 0;
      const last = dayOf(end.getTime());
      for (let at = dayOf(start.getTime()); at <= last; at += 1) {
        const { opens, closes } = windowOf(at);
        passed += Math.max(0, Math.min(closes, end.getTime()) - Math.max(opens, start.getTime()));
      }
      return passed;
    },
    add(start, duration) {
      let left = checked(duration);
      const first = dayOf(start.getTime());
      for (let at = first; left > 0 && at < first + HORIZON_DAYS; at += 1) {
        const { opens, closes } = windowOf(at);
        const from = Math.max(opens, start.getTime());
        if (closes - from >= left) return new Date(from + left);
        left -= Math.max(0, closes - from);
      }
      return left > 0 ? unreachable() : start;
    },
    subtract(end, duration) {
      let left = checked(duration);
      const last = dayOf(end.getTime());
      for (let at = last; left > 0 && at > last - HORIZON_DAYS; at -= 1) {
        const { opens, closes } = windowOf(at);
        const to = Math.min(closes, end.getTime());
        if (to - opens >= left) return new Date(to - left);
        left -= Math.max(0, to - opens);
      }
      return left > 0 ? unreachable() : end;
    },
  };
}

function checked(duration: Milliseconds): Milliseconds {
  if (!Number.isFinite(duration) || duration < 0) throw new RangeError('expected a duration of 0 or more');
  return duration;
}

function unreachable(): never {
  throw new RangeError('cannot find that much business time within 400 years');
}

/** @returns local day (days since 1970-01-01 on the local calendar) → when it is business time; an empty window where it never is */
function windows({ timeZone, days: atWork, from, to, holidays }: BusinessHours): (day: number) => Window {
  const [opening, closing] = [minutesOf(from), minutesOf(to)];
  if (opening >= closing) throw new RangeError(`expected the business day to end after ${from}, got ${to}`);
  if (atWork.length === 0) throw new RangeError('expected at least one business day in the week');
  const off = new Set(holidays);
  const instantOf = localInstants(timeZone);
  const known = new Map<number, Window>();
  return (day) => {
    const before = known.get(day);
    if (before !== undefined) return before;
    const isBusinessDay = atWork.some((name) => name === weekdayOf(day)) && !off.has(dateOf(day));
    const window = isBusinessDay
      ? { opens: instantOf(day, opening), closes: instantOf(day, closing) }
      : { opens: 0, closes: 0 };
    known.set(day, window);
    return window;
  };
}

/** 1970-01-01 was a Thursday. */
function weekdayOf(day: number): Weekday | undefined {
  return WEEKDAYS[(((day + 3) % 7) + 7) % 7];
}

function dateOf(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

function minutesOf(text: string): Milliseconds {
  const match = /^(\d\d):(\d\d)$/.exec(text);
  const time = hours(Number(match?.[1])) + minutes(Number(match?.[2]));
  if (!(time <= DAY)) throw new RangeError(`expected HH:MM up to 24:00, got ${text}`);
  return time;
}

function localDays(timeZone: string): (instant: number) => number {
  const wall = wallClock(timeZone);
  return (instant) => Math.floor(wall(instant) / DAY);
}

/**
 * The instant at which the wall shows a time. One that the clock jumps over (summer time begins) is taken as the
 * moment of the jump's other side; one that it shows twice (summer time ends) as the first of the two.
 */
function localInstants(timeZone: string): (day: number, time: Milliseconds) => number {
  const wall = wallClock(timeZone);
  return (day, time) => {
    const shown = day * DAY + time;
    const offsets = [shown - DAY, shown + DAY].map((instant) => wall(instant) - instant);
    const candidates = offsets.map((offset) => shown - offset).sort((a, b) => a - b);
    return candidates.find((instant) => wall(instant) === shown) ?? Math.max(...candidates);
  };
}

/** @returns instant → what the wall clock shows, as if it were UTC; whole seconds kept, and the milliseconds */
function wallClock(timeZone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
    const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
    return shown + (((instant % 1000) + 1000) % 1000);
  };
}
