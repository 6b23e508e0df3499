import { messageOf } from '../../core/errors.ts';
import type { Places } from '../places.ts';
import { readInbox, removeFromInbox, TRUST } from './inbox.ts';
import { readKnown } from './known.ts';
import type { ReadPolicy } from './read-policy.ts';
import { sha256Of } from './read-verified.ts';
import { readTrustState, type TrustState, writeTrustState } from './trust-state.ts';

/** A list of revocations holds 4 MB, and there may be many rotations. */
const LARGEST = 16 * 1024 * 1024;

interface Heard {
  state: TrustState;
  refused: { reason: string; at: string } | null;
  /** digest of what came now; null where it has to come again, since not all of it was taken */
  taken?: string | null;
}

/** Takes what the submitter heard about keys, as far as it follows from those that count; on disk when this returns. */
export async function heardOfKeys(
  places: Pick<Places, 'inbox' | 'orderTrust' | 'results'>,
  pinned: string,
  policy: ReadPolicy,
  now: Date,
): Promise<Heard> {
  const state = await readTrustState(places, pinned);
  const refusedBefore = (await readKnown(places)).refused_keys;
  // Without rules nobody can say whose word counts; what came stays where it is.
  if (!policy.ok) return { state, refused: refusedBefore };
  let bytes: Buffer | undefined;
  try {
    bytes = readInbox(places, TRUST, LARGEST);
  } catch (error) {
    removeFromInbox(places, TRUST);
    return { state, refused: { reason: messageOf(error), at: now.toISOString() } };
  }
  if (bytes === undefined) return { state, refused: refusedBefore };
  const { takeKeys } = await import('./take-keys.ts');
  const taken = await takeKeys(state, policy, bytes, now);
  if (taken.state !== state) await writeTrustState(places, taken.state);
  removeFromInbox(places, TRUST);
  return {
    state: taken.state,
    refused: taken.refused === undefined ? null : { reason: taken.refused, at: now.toISOString() },
    taken: taken.refused === undefined ? sha256Of(bytes) : null,
  };
}
