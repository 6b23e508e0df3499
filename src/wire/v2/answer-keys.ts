/**
 * How agents learn that the server signs its answers with another key (docs/protocol.md, "Answer keys"):
 * statements, each signed by the key that it replaces, from the first key of the server to the present one.
 */
import * as v from 'valibot';
import { days, type Milliseconds } from '../../core/duration.ts';
import { exactTime, type Read, readDocument } from './signed-statement.ts';

/** The type keeps this signature apart from all others that the same key makes. */
export const ROTATION_TYPE = 'penguindome-answer-key-rotation-1';
/** More rotations than this nobody takes: once a week, that is five years. */
export const MOST_ROTATIONS = 256;
/** Bytes of a whole chain as JSON. */
export const LARGEST_CHAIN = 256 * 1024;
/** A replaced key may count for so long. */
export const LONGEST_OVERLAP: Milliseconds = days(90);

/** Base64 in its one canonical form, so that equal bytes are equal text. */
const base64 = (pattern: RegExp, what: string) =>
  v.pipe(
    v.string(),
    v.regex(pattern, `expected ${what} in base64`),
    v.check((text) => Buffer.from(text, 'base64').toString('base64') === text, `expected ${what} in base64`),
  );
const publicKey = base64(/^[A-Za-z0-9+/]{43}=$/, '32 bytes');
const signature = base64(/^[A-Za-z0-9+/]{86}==$/, '64 bytes');
/** Unknown fields are refused: whoever adds one that matters changes the type. */
export const answerKeyRotation = v.strictObject({
  type: v.literal(ROTATION_TYPE, 'expected a type that is known'),
  /** of the new key; the first key of a server is number 0, and each rotation counts one up */
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** raw 32 bytes, base64; its signature makes this count */
  old_key: publicKey,
  new_key: publicKey,
  made_at: exactTime,
  /** whoever knows the new key takes the old one's answers until then */
  overlap_until: exactTime,
});
export type AnswerKeyRotation = v.InferOutput<typeof answerKeyRotation>;

export const signedRotation = v.strictObject({
  statement: answerKeyRotation,
  /** Ed25519 by `old_key`, over the statement's canonical JSON (RFC 8785) */
  signature,
});
export type SignedRotation = v.InferOutput<typeof signedRotation>;

/** What `GET /penguindome/v2/keys` answers: all rotations of the server, oldest first. */
export const answerKeyChain = v.object({
  rotations: v.pipe(v.array(signedRotation), v.maxLength(MOST_ROTATIONS)),
});

/** Reads a chain from outside; nothing of it is verified yet. */
export function readChain(bytes: Uint8Array): Read<SignedRotation[]> {
  const read = readDocument(answerKeyChain, bytes, { what: 'the chain', most: LARGEST_CHAIN });
  return read.ok ? { ok: true, value: read.value.rotations } : read;
}
