import type { Speaking } from './build-submission.ts';
import type { Speaker } from './exchange.ts';
import { readRotating } from './identity.ts';
import type { Places } from './places.ts';
import { RequestProblem } from './problem.ts';
import { rotateKey } from './rotate-key.ts';

/**
 * Finishes a rotation that was cut off, lest the old key ends before this host uses the new one.
 * @returns who speaks now: with the old key still, where it did not come about; what is wrong the server then says of the report too
 */
export async function finishRotation(places: Places, speaker: Speaker, speaking: Speaking): Promise<Speaker> {
  if ((await readRotating(places)) === undefined) return speaker;
  try {
    const { key } = await rotateKey(places, speaker, speaking);
    return { ...speaker, key };
  } catch (error) {
    if (error instanceof RequestProblem) return speaker;
    throw error;
  }
}
