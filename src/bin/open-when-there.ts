import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { StoreUnavailable } from '../core/errors.ts';

const WAIT: Milliseconds = seconds(1);

/**
 * Opens the store, again and again while it cannot be reached.
 * @param waiting hears why it waits, each time
 * @returns undefined where the signal aborted before
 */
export async function openWhenThere<T>(
  open: () => Promise<T>,
  waiting: (reason: string) => void,
  signal: AbortSignal,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      waiting(error.message);
      await sleep(WAIT, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}
