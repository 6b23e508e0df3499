import { Refusal } from '../../core/errors.ts';
import { createBudget, createTurnstile, type Turnstile } from '../limiter.ts';

/** Of all workers. Each takes 19 MiB, and a core. */
const AT_ONCE = 4;
/** Of libuv's four threads: files and names need some too. */
const AT_ONCE_HERE = 2;
/** In each worker: about a second's work. Who comes then is told to come again. */
export const MOST_WAITING = 32;

/** Passwords are checked in turns. Rejects with a refusal where too many wait already. */
export function createHashing(workers: number): Turnstile {
  const width = Math.min(AT_ONCE_HERE, Math.max(1, Math.floor(AT_ONCE / workers)));
  const places = createBudget(() => width + MOST_WAITING);
  const inTurn = createTurnstile(width);
  return async (work) => {
    if (!places.take(1)) throw new Refusal('unavailable', 'cannot check more passwords at once; come again');
    try {
      return await inTurn(work);
    } finally {
      places.give(1);
    }
  };
}
