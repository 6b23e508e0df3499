import { hours, type Milliseconds, minutes } from '../core/duration.ts';
import type { Random } from '../core/world.ts';

const FIRST = minutes(1);
export const LONGEST_PAUSE = hours(4);

/** How long to wait after so many attempts: twice as long each time, up to a cap, and of that a random part from half to all. */
export function pauseAfter(attempts: number, random: Pick<Random, 'bytes'>): Milliseconds {
  const whole = Math.min(LONGEST_PAUSE, FIRST * 2 ** Math.min(attempts - 1, 30));
  const part = Buffer.from(random.bytes(4)).readUInt32BE() / 2 ** 32;
  return Math.round(whole * (0.5 + part / 2));
}
