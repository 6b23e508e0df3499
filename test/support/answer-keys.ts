import { days } from '../../src/core/duration.ts';
import { type AnswerKeys, signRotation } from '../../src/crypto/answer-keys.ts';
import { generateSigningKey, loadSigningKey } from '../../src/crypto/ed25519.ts';

/** The keys of a server after one more rotation. */
export function rotated(
  { newest, older, rotations }: AnswerKeys,
  { madeAt = new Date(), overlap = days(7) }: { madeAt?: Date; overlap?: number } = {},
): AnswerKeys {
  const key = loadSigningKey(generateSigningKey());
  const until = new Date(madeAt.getTime() + overlap);
  const rotation = signRotation(newest, key, { madeAt, overlapUntil: until });
  return {
    newest: { number: newest.number + 1, key },
    older: [{ ...newest, until }, ...older].slice(0, 3),
    rotations: [...rotations, rotation],
  };
}
