import { appendFileSync } from 'node:fs';
import test, { type TestFn } from 'ava';

/**
 * The test function where `present` holds, else one that skips, and says why at the end of the run.
 * With CI=true a skip is a failure (test/run.mjs).
 */
export function whenPresent(present: boolean, why: string): TestFn['serial'] | TestFn['skip'] {
  if (present) return test.serial;
  const file = process.env['PENGUINDOME_TEST_SKIPS'];
  if (file !== undefined) appendFileSync(file, `${why}\n`);
  return test.skip;
}
