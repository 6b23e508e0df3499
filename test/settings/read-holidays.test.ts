import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { holidaysIn, readHolidays } from '../../src/settings/read-holidays.ts';
import { scratchFolder } from '../support/scratch.ts';

const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1@example', ...lines, 'END:VEVENT'];
const calendar = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//x//y//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const LAST_YEAR = 2030;

function dates(title: string, lines: string[], expected: string[]) {
  test(`holidays: ${title}`, (t) => {
    t.deepEqual(holidaysIn(calendar(...event(...lines)), LAST_YEAR), { dates: expected, faults: [] });
  });
}

dates('one day without an end', ['DTSTART;VALUE=DATE:20261225'], ['2026-12-25']);
dates(
  'one day with its end, which is the day after',
  ['DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261226'],
  ['2026-12-25'],
);
dates(
  'several days, over the end of a year',
  ['DTSTART;VALUE=DATE:20261231', 'DTEND;VALUE=DATE:20270102'],
  ['2026-12-31', '2027-01-01'],
);
dates(
  'a leap day among them',
  ['DTSTART;VALUE=DATE:20280228', 'DTEND;VALUE=DATE:20280302'],
  ['2028-02-28', '2028-02-29', '2028-03-01'],
);
dates('a duration in days', ['DTSTART;VALUE=DATE:20261224', 'DURATION:P2D'], ['2026-12-24', '2026-12-25']);
dates(
  'lower-case names, and parameters that mean nothing here',
  ['dtstart;x-note="a:b;c,d";value=date:20261225', 'SUMMARY;LANGUAGE=de:Weihnachten: frei\\, alle'],
  ['2026-12-25'],
);
dates('what is cancelled does not count', ['DTSTART;VALUE=DATE:20261225', 'STATUS:CANCELLED'], []);
dates('every year', ['DTSTART;VALUE=DATE:20280101', 'RRULE:FREQ=YEARLY'], ['2028-01-01', '2029-01-01', '2030-01-01']);
dates(
  'every leap day',
  ['DTSTART;VALUE=DATE:20200229', 'RRULE:FREQ=YEARLY'],
  ['2020-02-29', '2024-02-29', '2028-02-29'],
);
dates(
  'every other year',
  ['DTSTART;VALUE=DATE:20270501', 'RRULE:FREQ=YEARLY;INTERVAL=2'],
  ['2027-05-01', '2029-05-01'],
);
dates(
  'three times',
  ['DTSTART;VALUE=DATE:20250501', 'RRULE:FREQ=YEARLY;COUNT=3'],
  ['2025-05-01', '2026-05-01', '2027-05-01'],
);
dates(
  'until a day, itself included',
  ['DTSTART;VALUE=DATE:20250501', 'RRULE:FREQ=YEARLY;UNTIL=20260501'],
  ['2025-05-01', '2026-05-01'],
);
dates(
  'until a moment',
  ['DTSTART;VALUE=DATE:20250501', 'RRULE:FREQ=YEARLY;UNTIL=20260501T000000Z;WKST=MO'],
  ['2025-05-01', '2026-05-01'],
);
dates(
  'the fourth Thursday of November',
  ['DTSTART;VALUE=DATE:20261126', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20291231'],
  ['2026-11-26', '2027-11-25', '2028-11-23', '2029-11-22'],
);
dates(
  'the last Monday of May',
  ['DTSTART;VALUE=DATE:20260525', 'RRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;COUNT=4'],
  ['2026-05-25', '2027-05-31', '2028-05-29', '2029-05-28'],
);
dates(
  'the last day of February',
  ['DTSTART;VALUE=DATE:20270228', 'RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1;COUNT=3'],
  ['2027-02-28', '2028-02-29', '2029-02-28'],
);
dates(
  'but one year, of two days',
  [
    'DTSTART;VALUE=DATE:20281225',
    'DTEND;VALUE=DATE:20281227',
    'RRULE:FREQ=YEARLY',
    'EXDATE;VALUE=DATE:20291225,20311225',
  ],
  ['2028-12-25', '2028-12-26', '2030-12-25', '2030-12-26'],
);

test('holidays: folded lines, line ends of Unix, a byte order mark, and components that are of no interest', (t) => {
  const text = `\uFEFF${calendar(
    'BEGIN:VTIMEZONE',
    'BEGIN:STANDARD',
    'DTSTART:19701025T030000',
    'END:STANDARD',
    'END:VTIMEZONE',
    ...event(
      'SUMMARY:A long line that goes on',
      '  here',
      'DTSTART;VAL',
      ' UE=DATE:2026',
      '\t1225',
      'BEGIN:VALARM',
      'TRIGGER:-PT15M',
      'DTSTART:x',
      'END:VALARM',
    ),
  ).replaceAll('\r\n', '\n')}`;
  t.deepEqual(holidaysIn(text, LAST_YEAR), { dates: ['2026-12-25'], faults: [] });
});

function fault(title: string, lines: string[], line: number, reason: RegExp) {
  test(`a bad line is named: ${title}`, (t) => {
    const good = event('DTSTART;VALUE=DATE:20261225');
    const read = holidaysIn(calendar(...event(...lines), ...good), LAST_YEAR);
    t.deepEqual(read.dates, ['2026-12-25'], 'the other events count');
    t.deepEqual([read.faults.length, read.faults[0]?.line], [1, line]);
    t.regex(read.faults[0]?.reason ?? '', reason);
  });
}

fault('an event with a time of day', ['DTSTART:20261224T120000Z'], 6, /expected DTSTART;VALUE=DATE, an event of whole/);
fault('no start', ['SUMMARY:x'], 4, /expected DTSTART in the event/);
fault('a day that there is not', ['DTSTART;VALUE=DATE:20270229'], 6, /expected a date such as 20261225.*20270229/);
fault('an end before the start', ['DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261225'], 7, /1 to 366 days/);
fault('an end with a time', ['DTSTART;VALUE=DATE:20261225', 'DTEND:20261226T000000'], 7, /expected DTEND;VALUE=DATE/);
fault('a duration in hours', ['DTSTART;VALUE=DATE:20261225', 'DURATION:PT24H'], 7, /whole days in DURATION/);
fault('a weekly rule', ['DTSTART;VALUE=DATE:20261225', 'RRULE:FREQ=WEEKLY'], 7, /expected FREQ=YEARLY/);
fault('a rule that is not known', ['DTSTART;VALUE=DATE:20261225', 'RRULE:FREQ=YEARLY;BYSETPOS=1'], 7, /BYSETPOS=1/);
fault('a weekday of no month', ['DTSTART;VALUE=DATE:20261225', 'RRULE:FREQ=YEARLY;BYDAY=1MO'], 7, /expected BYMONTH/);
fault('no property', ['DTSTART;VALUE=DATE:20261225', 'what is this'], 7, /expected NAME:VALUE, found what is this/);
fault('another date by itself', ['DTSTART;VALUE=DATE:20261225', 'RDATE;VALUE=DATE:20270101'], 7, /cannot use RDATE/);

for (const [title, text, line, reason] of [
  ['no calendar', 'hello', 1, /expected NAME:VALUE/],
  ['another component', 'BEGIN:VCARD\nEND:VCARD\n', 1, /expected BEGIN:VCALENDAR, found BEGIN:VCARD/],
  ['an end that fits nothing', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n', 3, /expected END:VEVENT/],
  ['a file that is cut off', 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261225', 3, /end of the file/],
  ['an empty calendar', 'BEGIN:VCALENDAR\nEND:VCALENDAR\n', 2, /expected an event, found none/],
] as const) {
  test(`a bad file is named: ${title}`, (t) => {
    const { dates: none, faults } = holidaysIn(text, LAST_YEAR);
    t.deepEqual(none, []);
    t.is(faults[0]?.line, line);
    t.regex(faults[0]?.reason ?? '', reason);
  });
}

test('files are read together, and what is wrong is named with file and line', async (t) => {
  const folder = await scratchFolder(t);
  const [one, two, none] = ['one.ics', 'two.ics', 'none.ics'].map((name) => join(folder, name));
  await writeFile(one ?? '', calendar(...event('DTSTART;VALUE=DATE:20000101', 'RRULE:FREQ=YEARLY')));
  await writeFile(two ?? '', calendar(...event('DTSTART;VALUE=DATE:20261225'), ...event('DTSTART:20261224T120000')));
  const now = new Date('2026-03-02T10:00:00Z');
  const { holidays, problems } = await readHolidays([one ?? '', two ?? '', none ?? ''], now);
  t.true(holidays.includes('2000-01-01') && holidays.includes('2037-01-01') && holidays.includes('2026-12-25'));
  t.is(problems.length, 2);
  t.regex(problems[0] ?? '', /^\/.*two\.ics:10: expected DTSTART;VALUE=DATE/);
  t.regex(problems[1] ?? '', /^cannot read the holidays in \/.*none\.ics: ENOENT/);
});
