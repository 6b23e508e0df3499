import test from 'ava';
import { formatDuration, hours, minutes, parseDuration, seconds } from '../../src/core/duration.ts';

test('a duration is a number and s, m, h or d', (t) => {
  t.is(parseDuration('90s'), seconds(90));
  t.is(parseDuration('4h'), hours(4));
  for (const wrong of ['', '4', 'h', '4 h', '-4h', '1.5h', '4w', '4H']) t.is(parseDuration(wrong), undefined, wrong);
});

test('a duration is written in its largest whole unit', (t) => {
  t.is(formatDuration(hours(48)), '2d');
  t.is(formatDuration(minutes(90)), '90m');
  t.is(formatDuration(0), '0s');
});
