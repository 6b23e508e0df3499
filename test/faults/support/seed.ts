import { randomInt } from 'node:crypto';
import type { ExecutionContext } from 'ava';

/** Numbers in [0, 1), the same for the same seed. */
export type Chance = () => number;

/** Chance whose seed is printed; PENGUINDOME_SEED=N repeats a run so far as processes and disks let it. */
export function seeded(t: ExecutionContext): Chance {
  const seed = Number(process.env['PENGUINDOME_SEED'] ?? randomInt(2 ** 31));
  t.log(`PENGUINDOME_SEED=${seed}`);
  return mulberry32(seed);
}

/** A whole number from `from` up to, not including, `to`. */
export function between(chance: Chance, from: number, to: number): number {
  return from + Math.floor(chance() * (to - from));
}

export function oneOf<T>(chance: Chance, first: T, ...others: T[]): T {
  return [first, ...others][between(chance, 0, others.length + 1)] ?? first;
}

function mulberry32(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
