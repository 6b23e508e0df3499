import { setTimeout as sleep } from 'node:timers/promises';
import type { Milliseconds } from '../../core/duration.ts';

/** Nobody who does not answer keeps a wipe from going on. */
export async function within(time: Milliseconds, work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const told = work().catch(() => undefined);
  await Promise.race([told, sleep(time, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}
