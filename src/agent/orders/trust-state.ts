import * as v from 'valibot';
import { revocationList } from '../../wire/v2/revocations.ts';
import { exactTime, openPgpFingerprint } from '../../wire/v2/signed-statement.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const armored = v.pipe(v.string(), v.maxLength(64 * 1024));

/** trust/orders.json: what has followed from trust.d so far. Never goes back; root's alone. */
const trustState = v.object({
  /** the order key that enrolment pinned: all of this follows from it, and another enrolment begins anew */
  pinned: openPgpFingerprint,
  /** the key that signs orders now; null before the first one came */
  order: v.nullable(v.object({ number: count, fingerprint: openPgpFingerprint, key: armored })),
  /** keys that it replaced, each with the time of that: what they signed before counts on */
  former: v.optional(
    v.array(v.object({ number: count, fingerprint: openPgpFingerprint, key: armored, until: exactTime })),
    [],
  ),
  revocations: v.nullable(revocationList),
  /** the latest time that a key which counts here has signed */
  latest: v.nullable(exactTime),
  /** highest number of a release that was accepted */
  release: v.optional(count, 0),
});
export type TrustState = v.InferOutput<typeof trustState>;

const LARGEST = 16 * 1024 * 1024;

/** @throws where it is damaged: to begin anew would bring back what was revoked */
export async function readTrustState({ orderTrust }: Pick<Places, 'orderTrust'>, pinned: string): Promise<TrustState> {
  const bytes = await readHostile(orderTrust.state, LARGEST);
  const anew = { pinned, order: null, former: [], revocations: null, latest: null, release: 0 };
  if (bytes === undefined) return anew;
  const state = parse(bytes);
  if (state === undefined) {
    throw new Error(
      `${orderTrust.state} is damaged; look into it, then remove it: the keys come again from the server that this host is enrolled with`,
    );
  }
  // Time goes on, whoever the server is.
  return state.pinned === pinned ? state : { ...anew, latest: state.latest };
}

export async function writeTrustState({ orderTrust }: Pick<Places, 'orderTrust'>, state: TrustState): Promise<void> {
  await writeAtomically(orderTrust.state, `${JSON.stringify(state)}\n`, 0o600);
}

/** The better of this host's clock and what it has seen signed: a clock that is set back brings nothing back. */
export function latestTime({ latest }: Pick<TrustState, 'latest'>, now: Date): Date {
  return new Date(Math.max(now.getTime(), signedTime({ latest }).getTime()));
}

/** Of which no clock of this host's has made more. */
export function signedTime({ latest }: Pick<TrustState, 'latest'>): Date {
  return new Date(latest === null ? 0 : Date.parse(latest));
}

/** Number of the last key that this host needs no statement about: what nobody vouches for is told anew. */
export function vouchedNumber({ order, pinned }: Pick<TrustState, 'order' | 'pinned'>): number {
  return order === null || order.fingerprint === pinned ? 0 : order.number;
}

function parse(bytes: Buffer): TrustState | undefined {
  try {
    const parsed = v.safeParse(trustState, JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
