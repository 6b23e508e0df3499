import * as v from 'valibot';
import type { KeyId } from '../core/host.ts';
import type { Clock } from '../core/world.ts';
import { type AnswerKey, type AnswerKeyRing, followRotations, keysIn, newestOf } from '../crypto/answer-keys.ts';
import { keyIdOf } from '../crypto/ed25519.ts';
import { answerKeyChain, LARGEST_CHAIN, readChain, type SignedRotation } from '../wire/v2/answer-keys.ts';
import { KEYS } from '../wire/v2/paths.ts';
import type { Connection } from './connection.ts';
import type { Places } from './places.ts';
import { RequestProblem } from './problem.ts';
import { readHostile } from './read-hostile.ts';
import { writeAtomically } from './write-atomically.ts';

/** A chain that was offered and leads nowhere: it is not fetched again while it stays the same. */
const refused = v.object({ reason: v.string(), at: v.string(), etag: v.nullable(v.string()) });
export type RefusedChain = v.InferOutput<typeof refused>;

/** submit/answer-keys.json: what this host has learned beyond the key that enrolment pinned. Each link is verified at each reading. */
const learnedKeys = v.object({ pinned: v.string(), ...answerKeyChain.entries, refused: v.nullable(refused) });

/** Enough for a whole chain, and why another one was refused. */
const LARGEST = 2 * LARGEST_CHAIN;

export type Judged = { ok: true; key: string } | { ok: false; reason: 'unknown' | 'ended' };

/** The keys whose answers this host takes: the one that enrolment pinned, and those that it vouches for. */
export interface AnswerKeys {
  newest(): AnswerKey;
  has(key: AnswerKey): boolean;
  refused(): RefusedChain | null;
  /** whether answers by this key count, at the later of this time and now; a replaced key's count until its overlap ends */
  judge(keyId: string, atLeast: Date): Judged;
  /** Looks for this key in the server's rotations, and follows them; for each key once, however often it is asked. */
  learn(connection: Pick<Connection, 'get'>, keyId: string): Promise<Learned>;
}

export type Learned = { ok: true } | { ok: false; reason: string; problem?: RequestProblem };

/** @param pinned by enrolment; whatever lies in `submit/` counts only as far as it follows from this */
export async function openAnswerKeys(
  { submit }: Pick<Places, 'submit'>,
  pinned: AnswerKey,
  clock: Clock,
): Promise<AnswerKeys> {
  const file = await readLearned(submit.answerKeys);
  let ring = ringOf(pinned, file?.rotations ?? []);
  // What another server showed once says nothing about this one.
  let failed = file?.pinned === pinned.key ? file.refused : null;

  async function keep(next: AnswerKeyRing, fault: RefusedChain | null): Promise<void> {
    const content = { pinned: pinned.key, rotations: next.rotations, refused: fault };
    await writeAtomically(submit.answerKeys, `${JSON.stringify(content)}\n`, 0o600);
    [ring, failed] = [next, fault];
  }

  async function ask(connection: Pick<Connection, 'get'>): Promise<Learned> {
    const known = failed?.etag ?? null;
    const { status, headers, body } = await connection.get(KEYS, known === null ? {} : { 'If-None-Match': known });
    const at = clock.now().toISOString();
    if (status === 304 && failed !== null) {
      await keep(ring, { ...failed, at });
      return { ok: false, reason: failed.reason };
    }
    if (status !== 200) return { ok: false, reason: `the server answers ${status} to the question for its keys` };
    const read = readChain(body);
    const followed = read.ok ? followRotations(ring, read.value) : read;
    if (followed.ok) await keep(followed.ring, null);
    else await keep(ring, { reason: followed.reason, at, etag: headers.etag?.slice(0, 128) ?? null });
    return followed;
  }

  const asked = new Map<string, Learned>();

  return {
    newest: () => newestOf(ring),
    has: ({ number, key }) => keysIn(ring).some((one) => one.number === number && one.key === key),
    refused: () => failed,
    judge: (keyId, atLeast) => judge(ring, keyId, Math.max(atLeast.getTime(), clock.now().getTime())),
    async learn(connection, keyId) {
      const before = asked.get(keyId);
      if (before !== undefined) return before;
      const learned = await ask(connection).catch((error: unknown): Learned => {
        if (!(error instanceof RequestProblem)) throw error;
        return { ok: false, reason: error.message, problem: error };
      });
      asked.set(keyId, learned);
      return learned;
    },
  };
}

function judge(ring: AnswerKeyRing, keyId: string, at: number): Judged {
  const found = keysIn(ring).find(({ key }) => keyIdOf(key) === (keyId as KeyId));
  if (found === undefined) return { ok: false, reason: 'unknown' };
  if (found.endedBy !== undefined && found.endedBy.getTime() <= at) return { ok: false, reason: 'ended' };
  return { ok: true, key: found.key };
}

/** What is damaged, or belongs to another enrolment, is as if it were not there: the server tells it again. */
function ringOf(pinned: AnswerKey, rotations: readonly SignedRotation[]): AnswerKeyRing {
  const alone: AnswerKeyRing = { first: pinned, rotations: [] };
  if (rotations.length === 0) return alone;
  const followed = followRotations(alone, rotations);
  return followed.ok ? followed.ring : alone;
}

async function readLearned(path: string): Promise<v.InferOutput<typeof learnedKeys> | undefined> {
  const bytes = await readHostile(path, LARGEST);
  if (bytes === undefined) return undefined;
  try {
    return v.parse(learnedKeys, JSON.parse(bytes.toString('utf8')));
  } catch {
    return undefined;
  }
}
