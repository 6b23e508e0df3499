import type { Milliseconds } from '../../core/duration.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { DEADLINE } from './timeouts.ts';

/**
 * The work's own outcome, or StoreUnavailable where there is none in time.
 * The driver (7.9) never answers an operation whose connection broke at just the moment when it was taken from the pool: it waits for the
 * socket to drain, and a socket that is being destroyed only closes. Without an end here one such operation would hold up all that wait for it.
 */
export function beforeDeadline<T>(work: () => Promise<T>, deadline: Milliseconds = DEADLINE): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new StoreUnavailable('cannot use the database now: it did not answer in time')),
      deadline,
    );
    work()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
