import test from 'ava';
import { hours, minutes } from '../../src/core/duration.ts';
import { pauseAfter } from '../../src/delivery/pause.ts';

const shortest = { bytes: (count: number) => new Uint8Array(count) };
const longest = { bytes: (count: number) => new Uint8Array(count).fill(255) };

test('pauses double from a minute to four hours, and are cut by up to a half at random', (t) => {
  for (const [attempts, whole] of [
    [1, minutes(1)],
    [2, minutes(2)],
    [5, minutes(16)],
    [9, hours(4)],
    [10_000, hours(4)],
  ] as const) {
    t.is(pauseAfter(attempts, shortest), whole / 2, String(attempts));
    t.is(pauseAfter(attempts, longest), whole, String(attempts));
  }
});
