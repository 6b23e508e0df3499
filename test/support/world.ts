import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock, Random } from '../../src/core/world.ts';

export const realClock: Clock = { now: () => new Date() };

export const realRandom: Random = { uuid: () => v7(), bytes: (count) => randomBytes(count) };

/** A clock that stands until it is moved. */
export function standingClock(start: Date): Clock & { set(at: Date): void } {
  let at = start;
  return {
    now: () => new Date(at),
    set(next) {
      at = next;
    },
  };
}

/** What writers and those who ask them call themselves in tests. */
export const WRITER_VERSION = '0.0.0-test';
