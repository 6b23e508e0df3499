import test from 'ava';
import fc from 'fast-check';
import { type BusinessHours, businessCalendar } from '../../src/core/business-time.ts';
import { days, hours, minutes } from '../../src/core/duration.ts';

const NINE_TO_FIVE: BusinessHours = {
  timeZone: 'UTC',
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '17:00',
  holidays: [],
};
const EASTERN = { ...NINE_TO_FIVE, timeZone: 'US/Eastern' };
const BERLIN = { ...NINE_TO_FIVE, timeZone: 'Europe/Berlin' };
const ALWAYS: BusinessHours = {
  timeZone: 'Europe/Berlin',
  days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
  from: '00:00',
  to: '24:00',
  holidays: [],
};

/** A table's row becomes a test of its own. */
function between(title: string, spec: BusinessHours, start: string, end: string, expected: number) {
  test(`between: ${title}`, (t) => {
    t.is(businessCalendar(spec).between(new Date(start), new Date(end)), expected);
  });
}

// The original's own cases, which it held in comments.
between('before opening, Sunday', EASTERN, '2017-07-23T11:00:00Z', '2017-07-23T12:00:00Z', 0);
between('Sunday to Monday ten', EASTERN, '2017-07-23T11:00:00Z', '2017-07-24T14:00:00Z', hours(1));
between('Friday four to Monday ten', EASTERN, '2017-07-21T20:00:00Z', '2017-07-24T14:00:00Z', hours(2));
between('within one day', EASTERN, '2017-07-21T16:00:00Z', '2017-07-21T18:30:00Z', hours(2) + minutes(30));
between('over two nights', EASTERN, '2017-07-19T18:15:00Z', '2017-07-21T14:20:00Z', hours(12) + minutes(5));
between('over a weekend', EASTERN, '2017-07-20T16:00:00Z', '2017-07-25T18:00:00Z', hours(26));

between('a whole week', NINE_TO_FIVE, '2026-03-02T00:00:00Z', '2026-03-09T00:00:00Z', hours(40));
between('a start after the end', NINE_TO_FIVE, '2026-03-03T12:00:00Z', '2026-03-02T12:00:00Z', 0);
between('the very moment', NINE_TO_FIVE, '2026-03-02T12:00:00Z', '2026-03-02T12:00:00Z', 0);
between('after closing', NINE_TO_FIVE, '2026-03-02T17:00:00Z', '2026-03-03T09:00:00Z', 0);
between('milliseconds count', NINE_TO_FIVE, '2026-03-02T10:00:00.250Z', '2026-03-02T10:00:01Z', 750);
between(
  'a holiday does not count',
  { ...NINE_TO_FIVE, holidays: ['2026-03-03'] },
  '2026-03-02T09:00:00Z',
  '2026-03-04T17:00:00Z',
  hours(16),
);
between('summer time begins over the weekend', BERLIN, '2026-03-27T15:00:00Z', '2026-03-30T08:00:00Z', hours(2));
between('summer time ends over the weekend', BERLIN, '2026-10-23T14:00:00Z', '2026-10-26T09:00:00Z', hours(2));
between('the day that lacks an hour', ALWAYS, '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', hours(23));
between('the day that has one more', ALWAYS, '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', hours(25));
between(
  'a day that opens within the hour that is jumped over',
  { ...ALWAYS, from: '02:30', to: '05:00' },
  '2026-03-28T23:00:00Z',
  '2026-03-29T22:00:00Z',
  hours(1) + minutes(30),
);
between(
  'a zone east of Greenwich by a broken number of hours',
  { ...NINE_TO_FIVE, timeZone: 'Asia/Kathmandu' },
  '2026-03-02T03:15:00Z',
  '2026-03-02T11:15:00Z',
  hours(8),
);
between(
  'a date that is another one here',
  { ...NINE_TO_FIVE, timeZone: 'Pacific/Auckland', days: ['mon'] },
  '2026-03-01T00:00:00Z',
  '2026-03-02T23:00:00Z',
  hours(8),
);

function add(title: string, spec: BusinessHours, start: string, duration: number, expected: string) {
  test(`add: ${title}`, (t) => {
    t.is(businessCalendar(spec).add(new Date(start), duration).toISOString(), new Date(expected).toISOString());
  });
}

add('within the day', NINE_TO_FIVE, '2026-03-02T10:00:00Z', hours(3), '2026-03-02T13:00:00Z');
add('up to closing time', NINE_TO_FIVE, '2026-03-02T10:00:00Z', hours(7), '2026-03-02T17:00:00Z');
add('over night', NINE_TO_FIVE, '2026-03-02T16:00:00Z', hours(2), '2026-03-03T10:00:00Z');
add('over a weekend', NINE_TO_FIVE, '2026-03-06T16:30:00Z', hours(1), '2026-03-09T09:30:00Z');
add('from a Saturday', NINE_TO_FIVE, '2026-03-07T16:30:00Z', hours(8), '2026-03-09T17:00:00Z');
add('nothing', NINE_TO_FIVE, '2026-03-07T16:30:00Z', 0, '2026-03-07T16:30:00Z');
add(
  'past Christmas',
  { ...NINE_TO_FIVE, holidays: ['2026-12-25'] },
  '2026-12-24T16:00:00Z',
  hours(2),
  '2026-12-28T10:00:00Z',
);
add('past the change to summer time', BERLIN, '2026-03-27T15:30:00Z', hours(1), '2026-03-30T07:30:00Z');

test('subtract finds the time since which one business day has passed', (t) => {
  const calendar = businessCalendar(NINE_TO_FIVE);
  const since = (end: string) => calendar.subtract(new Date(end), calendar.day).toISOString();
  t.is(since('2026-03-03T12:00:00Z'), '2026-03-02T12:00:00.000Z');
  t.is(since('2026-03-09T12:00:00Z'), '2026-03-06T12:00:00.000Z', 'Monday noon: Friday noon');
  t.is(since('2026-03-08T12:00:00Z'), '2026-03-06T09:00:00.000Z', 'Sunday: Friday morning');
});

test('24 hours of grace are 8 business hours, and 4 hours are 80 minutes', (t) => {
  const calendar = businessCalendar(NINE_TO_FIVE);
  t.is(calendar.ofPeriod(days(1)), hours(8));
  t.is(calendar.ofPeriod(hours(4)), minutes(80));
  t.is(businessCalendar(ALWAYS).ofPeriod(days(90)), days(90));
});

for (const [title, spec, message] of [
  [
    'a day that ends before it begins',
    { ...NINE_TO_FIVE, to: '08:00' },
    /expected the business day to end after 09:00/,
  ],
  ['a week without a day', { ...NINE_TO_FIVE, days: [] }, /at least one business day/],
  ['an unknown time zone', { ...NINE_TO_FIVE, timeZone: 'Mars/Olympus' }, /time zone/],
  ['a time past the end of the day', { ...NINE_TO_FIVE, to: '24:30' }, /expected HH:MM up to 24:00/],
] satisfies [string, BusinessHours, RegExp][]) {
  test(`${title} is refused`, (t) => {
    t.throws(() => businessCalendar(spec), { instanceOf: RangeError, message });
  });
}

test('a duration that is none is refused', (t) => {
  t.throws(() => businessCalendar(NINE_TO_FIVE).add(new Date(0), Number.POSITIVE_INFINITY), { instanceOf: RangeError });
  t.throws(() => businessCalendar(NINE_TO_FIVE).subtract(new Date(0), -1), { instanceOf: RangeError });
});

const zone = fc.constantFrom(
  'UTC',
  'US/Eastern',
  'Europe/Berlin',
  'Asia/Kathmandu',
  'Pacific/Auckland',
  'America/St_Johns',
);
const instant = fc.date({ min: new Date('2024-01-01'), max: new Date('2028-01-01'), noInvalidDate: true });
const period = fc.integer({ min: 1, max: days(20) });
const calendars = zone.map((timeZone) => businessCalendar({ ...NINE_TO_FIVE, timeZone, holidays: ['2026-05-01'] }));

test('as much time lies between as was added', (t) => {
  fc.assert(
    fc.property(calendars, instant, period, (calendar, start, duration) => {
      t.is(calendar.between(start, calendar.add(start, duration)), duration);
    }),
  );
});

test('as much time lies between as was subtracted', (t) => {
  fc.assert(
    fc.property(calendars, instant, period, (calendar, end, duration) => {
      t.is(calendar.between(calendar.subtract(end, duration), end), duration);
    }),
  );
});

test('time over two stretches is the time of both', (t) => {
  fc.assert(
    fc.property(calendars, fc.array(instant, { minLength: 3, maxLength: 3 }), (calendar, instants) => {
      const [a = new Date(0), b = a, c = b] = instants.sort((x, y) => x.getTime() - y.getTime());
      t.is(calendar.between(a, b) + calendar.between(b, c), calendar.between(a, c));
    }),
  );
});

/** When the grace period of an issue ends. */
function grace(title: string, spec: BusinessHours, opened: string, period: number, due: string) {
  test(`grace: ${title}`, (t) => {
    const calendar = businessCalendar(spec);
    t.is(calendar.add(new Date(opened), calendar.ofPeriod(period)).toISOString(), new Date(due).toISOString());
  });
}

grace('4 h on a morning', EASTERN, '2026-03-03T14:00:00Z', hours(4), '2026-03-03T15:20:00Z');
grace('4 h over the evening', EASTERN, '2026-03-05T21:30:00Z', hours(4), '2026-03-06T14:50:00Z');
grace('4 h from the night', EASTERN, '2026-03-03T03:00:00Z', hours(4), '2026-03-03T15:20:00Z');
grace('a day from a Saturday', EASTERN, '2026-03-07T15:00:00Z', days(1), '2026-03-09T21:00:00Z');
grace(
  'a day over the weekend on which summer time begins',
  EASTERN,
  '2026-03-06T20:00:00Z',
  days(1),
  '2026-03-09T19:00:00Z',
);
grace('a day over the weekend on which it ends', EASTERN, '2026-10-30T19:00:00Z', days(1), '2026-11-02T20:00:00Z');
grace('90 days are 18 weeks', EASTERN, '2026-01-05T14:00:00Z', days(90), '2026-05-08T21:00:00Z');
grace('a day over a leap day', EASTERN, '2028-02-28T17:00:00Z', days(1), '2028-02-29T17:00:00Z');
grace(
  'a day over a leap day that is a holiday',
  { ...EASTERN, holidays: ['2028-02-29'] },
  '2028-02-28T17:00:00Z',
  days(1),
  '2028-03-01T17:00:00Z',
);
grace(
  'a day over Christmas and the end of the year',
  {
    ...EASTERN,
    holidays: ['2026-12-24', '2026-12-25', '2026-12-28', '2026-12-29', '2026-12-30', '2026-12-31', '2027-01-01'],
  },
  '2026-12-23T20:00:00Z',
  days(1),
  '2027-01-04T20:00:00Z',
);

test("business time on the original's calendar is each quarter of an hour from nine to five, Monday to Friday, in New York", (t) => {
  const QUARTER = minutes(15);
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/New_York',
    weekday: 'short',
    hour: 'numeric',
    hourCycle: 'h23',
  });
  const atWork = (instant: number) => {
    const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    return !['Sat', 'Sun'].includes(parts['weekday'] ?? '') && Number(parts['hour']) >= 9 && Number(parts['hour']) < 17;
  };
  const quarter = fc.integer({ min: Date.UTC(2024, 0, 1) / QUARTER, max: Date.UTC(2028, 0, 1) / QUARTER });
  const calendar = businessCalendar(EASTERN);
  fc.assert(
    fc.property(quarter, fc.integer({ min: 0, max: 4 * 24 * 6 }), (first, count) => {
      let expected = 0;
      for (let at = first; at < first + count; at += 1) if (atWork(at * QUARTER)) expected += QUARTER;
      t.is(calendar.between(new Date(first * QUARTER), new Date((first + count) * QUARTER)), expected);
    }),
    { numRuns: 40 },
  );
});
