/** How agents learn of another key that signs orders (docs/protocol.md, "Order keys"). */
import * as v from 'valibot';
import { exactTime, openPgpFingerprint, type Read, readDocument, signedStatement } from './signed-statement.ts';

export const ORDER_ROTATION_TYPE = 'penguindome-order-key-rotation-1';
/** An armored public key: RSA-4096 with many user ids takes 10 KB. */
const LARGEST_KEY = 32 * 1024;
const LARGEST_ROTATION = 128 * 1024;

const orderKeyRotation = v.strictObject({
  type: v.literal(ORDER_ROTATION_TYPE, 'expected a type that is known'),
  /** of the new key; the first order key of a server is number 0, and each rotation counts one up */
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** of the primary keys */
  old_fingerprint: openPgpFingerprint,
  new_fingerprint: openPgpFingerprint,
  /** armored, public half only */
  new_key: v.pipe(v.string(), v.maxLength(LARGEST_KEY), v.startsWith('-----BEGIN PGP PUBLIC KEY BLOCK-----')),
  made_at: exactTime,
});

const orderKeyStatement = signedStatement(orderKeyRotation);
export type OrderKeyStatement = v.InferOutput<typeof orderKeyStatement>;

export function readOrderKeyStatement(bytes: Uint8Array): Read<OrderKeyStatement> {
  return readDocument(orderKeyStatement, bytes, { what: 'the rotation of the order key', most: LARGEST_ROTATION });
}
