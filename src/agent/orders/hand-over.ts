import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import type { Places } from '../places.ts';
import { readReport } from './results.ts';
import { readTold } from './told.ts';

export interface HandingOver {
  places: Pick<Places, 'results' | 'inbox'>;
  /** has handed over what was reported, or starts what does */
  handOver(): Promise<void>;
}

/** How often it is looked whether the server has acknowledged, and for how long before it is handed over once more. */
const LOOK: Milliseconds = 200;
const AGAIN: Milliseconds = seconds(2);

/**
 * Hands over what was reported of an order until the server has acknowledged it: a submitter that runs at the moment may have looked before, and
 * is not started a second time. Without a number of rounds it takes as long as it takes, and keeps no process alive: whoever asks has a limit.
 */
export async function handOverUntilTold(
  { places, handOver }: HandingOver,
  order: string,
  rounds = Number.POSITIVE_INFINITY,
): Promise<void> {
  const number = (await readReport(places, order))?.number ?? 0;
  const isTold = async () => ((await readTold(places)).reports[order] ?? 0) >= number;
  for (let round = 0; round < rounds && !(await isTold()); round++) {
    await handOver();
    for (let waited = 0; waited < AGAIN && !(await isTold()); waited += LOOK)
      await sleep(LOOK, undefined, { ref: rounds < Number.POSITIVE_INFINITY });
  }
}
