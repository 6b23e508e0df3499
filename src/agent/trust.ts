import * as v from 'valibot';
import { OperatorError } from '../core/errors.ts';
import type { HostId } from '../core/host.ts';
import type { AnswerKey } from '../crypto/answer-keys.ts';
import { EXIT } from './exit-codes.ts';
import type { Places } from './places.ts';
import { readFollowing } from './read-hostile.ts';

/** trust.d/server.json: what enrolment pinned. No secrets. */
const serverTrust = v.object({
  url: v.pipe(v.string(), v.regex(/^https?:\/\/[^/\s?#@]+$/)),
  /** PEM; the only CA that counts */
  ca: v.optional(v.string()),
  /** hex SHA-256 of the server certificate's DER */
  pin: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  /** raw Ed25519 key (base64) that signs the server's answers */
  answer_key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/)),
  /** how many keys signed answers before that one; absent: none */
  answer_number: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  /** OpenPGP fingerprint (hex) of the key that signs orders */
  order_key: v.string(),
  host_id: v.pipe(
    v.string(),
    v.transform((text) => text as HostId),
  ),
});
export type ServerTrust = v.InferOutput<typeof serverTrust>;

/** The answer key that a token or trust.d pins. */
export function pinnedKey(trust: { answer_key: string; answer_number?: number | undefined }): AnswerKey {
  return { number: trust.answer_number ?? 0, key: trust.answer_key };
}

const LARGEST = 256 * 1024;

/** @returns undefined where this host is not enrolled */
export async function readTrust({ trust }: Pick<Places, 'trust'>): Promise<ServerTrust | undefined> {
  const bytes = await readFollowing(trust, LARGEST);
  if (bytes === undefined) return undefined;
  try {
    return v.parse(serverTrust, JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new OperatorError(`cannot use ${trust}: it does not hold what enrolment writes there; enrol again`, {
      exitCode: EXIT.notSetUp,
      cause,
    });
  }
}
