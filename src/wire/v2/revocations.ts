/** The numbered list of keys that nobody may trust any more (docs/protocol.md, "Revocations"). */
import * as v from 'valibot';
import { exactTime, OPENPGP_FINGERPRINT, type Read, readDocument, signedStatement } from './signed-statement.ts';

export const REVOCATIONS_TYPE = 'penguindome-revocations-1';
export const MOST_REVOCATIONS = 10_000;
const LARGEST_LIST = 4 * 1024 * 1024;

const KEY_ID = /^[A-Za-z0-9_-]{43}$/;

/** What a fingerprint looks like, by kind. Kinds that an agent does not know it keeps: they must not stop the others. */
const FINGERPRINTS: ReadonlyMap<string, RegExp> = new Map([
  ['order', OPENPGP_FINGERPRINT],
  ['operator', OPENPGP_FINGERPRINT],
  ['answer', KEY_ID],
  ['host', KEY_ID],
]);
const ANY_FINGERPRINT = /^[\x21-\x7e]{1,128}$/;

const revocation = v.pipe(
  v.strictObject({
    /** `order`, `operator` (OpenPGP), `answer` or `host` (key id); newer servers may have others */
    kind: v.pipe(v.string(), v.regex(/^[a-z][a-z-]{0,31}$/, 'expected a kind of key')),
    fingerprint: v.string(),
    at: exactTime,
    why: v.pipe(v.string(), v.maxLength(500)),
  }),
  v.check(
    ({ kind, fingerprint }) => (FINGERPRINTS.get(kind) ?? ANY_FINGERPRINT).test(fingerprint),
    'expected a fingerprint of that kind',
  ),
);
export type Revocation = v.InferOutput<typeof revocation>;

export const revocationList = v.strictObject({
  type: v.literal(REVOCATIONS_TYPE, 'expected a type that is known'),
  /** rises with each list; need not be the next one, for each list holds all before it */
  number: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  made_at: exactTime,
  revoked: v.pipe(v.array(revocation), v.maxLength(MOST_REVOCATIONS)),
});
export type RevocationList = v.InferOutput<typeof revocationList>;

const revocationStatement = signedStatement(revocationList);
export type RevocationStatement = v.InferOutput<typeof revocationStatement>;

export function readRevocations(bytes: Uint8Array): Read<RevocationStatement> {
  return readDocument(revocationStatement, bytes, { what: 'the list of revocations', most: LARGEST_LIST });
}
