import { appendFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { rounds } from '../../support/soak.ts';

export interface Tally {
  fault: string;
  store: string;
  kills: number;
  hits: number;
  /** what the end was compared with */
  acknowledged: number;
}

/** Hits that one fault is to have on one store. */
export const HITS = rounds(2, 100);
/** After so many faults for each hit wanted the test is not what it says, and fails. */
const MOST_FAULTS_A_HIT = 8;

/**
 * Repeats a fault until there were HITS hits, or as many as are wanted. What counts as one is said by each test: in short, work was accepted
 * and not yet committed when the fault came.
 * @param strike one fault; resolves with whether it was a hit
 */
export async function untilHits(
  t: ExecutionContext,
  strike: (number: number) => Promise<boolean>,
  wanted = HITS,
): Promise<{ kills: number; hits: number }> {
  let [kills, hits] = [0, 0];
  while (hits < wanted && kills < wanted * MOST_FAULTS_A_HIT) {
    if (await strike(kills)) hits++;
    kills++;
  }
  t.true(hits >= wanted, `${hits} hits in ${kills} faults`);
  return { kills, hits };
}

/** Tells the runner, which prints the table of all faults at the end (test/run.mjs). */
export function tally(t: ExecutionContext, row: Tally): void {
  const { fault, store, kills, hits, acknowledged } = row;
  t.log(`${fault}, ${store}: ${kills} faults, ${hits} hits, ${acknowledged} reports acknowledged`);
  const file = process.env['PENGUINDOME_TEST_FAULTS'];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(row)}\n`);
}
