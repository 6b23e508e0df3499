import * as v from 'valibot';

const PREFIX = 'penguindome1:';

/**
 * What an enrolment token carries besides its secret: all that the agent needs to trust the server.
 * Written as `penguindome1:` and the base64url of this as JSON, one line.
 */
const tokenContent = v.object({
  secret: v.pipe(v.string(), v.minLength(22), v.maxLength(256)),
  /** `https://host:port`, without a path */
  url: v.pipe(v.string(), v.url(), v.regex(/^https?:\/\/[^/]+$/, 'expected a URL without a path')),
  /** PEM of the CA that signs the server's certificate */
  ca: v.optional(v.string()),
  /** hex SHA-256 of the server certificate's DER, instead of a CA */
  pin: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  /** raw Ed25519 key (base64) that signs the server's answers */
  answer_key: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/)),
  /** how many keys signed answers before that one; absent: none */
  answer_number: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  /** OpenPGP fingerprint (hex) of the key that signs orders */
  order_key: v.pipe(v.string(), v.regex(/^[0-9A-F]{40}([0-9A-F]{24})?$/)),
});
export type TokenContent = v.InferOutput<typeof tokenContent>;

export function encodeToken(content: TokenContent): string {
  return PREFIX + Buffer.from(JSON.stringify(content)).toString('base64url');
}

/** @returns undefined for what is no token of ours, or was cut off on the way */
export function decodeToken(text: string): TokenContent | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith(PREFIX)) return undefined;
  try {
    const parsed = v.safeParse(
      tokenContent,
      JSON.parse(Buffer.from(trimmed.slice(PREFIX.length), 'base64url').toString()),
    );
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
