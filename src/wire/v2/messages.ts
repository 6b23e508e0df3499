/**
 * What agent and server say to each other in protocol v2 (docs/protocol.md). Times are ISO 8601 in UTC.
 * Both ends decode with these schemas; unknown fields are ignored, so that either end may be newer.
 */
import * as v from 'valibot';
import { type Digest, type HostId, isHostname, type KeyId } from '../../core/host.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const digest = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/, 'expected a lower-case hex SHA-256'),
  v.transform((text) => text as Digest),
);
const uuid = v.pipe(v.string(), v.regex(UUID, 'expected a lower-case UUID'));
const hostname = v.pipe(v.string(), v.check(isHostname, 'expected a host name'));
const time = v.pipe(v.string(), v.isoTimestamp('expected an ISO 8601 time'));
/** 32 raw bytes of Ed25519, base64 */
const publicKey = v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{43}=$/, 'expected 32 bytes in base64'));
const keyId = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{43}$/, 'expected a key id'),
  v.transform((text) => text as KeyId),
);
const bodyName = v.pipe(
  v.string(),
  v.regex(/^(plugins|commands)\.[^\0]{1,255}$/u, 'expected plugins.NAME or commands.NAME'),
);
const chain = v.pipe(v.string(), v.maxLength(128));
const version = v.pipe(v.string(), v.maxLength(64));

export const enrollRequest = v.object({
  /** the secret of the token */
  token: v.pipe(v.string(), v.minLength(22), v.maxLength(256)),
  public_key: publicKey,
  hostname,
  /** hex SHA-256 of `penguindome:` and /etc/machine-id's text */
  machine_id_digest: v.optional(digest),
  agent: v.optional(version),
});
export type EnrollRequest = v.InferOutput<typeof enrollRequest>;

export const enrollAnswer = v.object({
  status: v.picklist(['approved', 'pending']),
  host_id: v.pipe(
    uuid,
    v.transform((text) => text as HostId),
  ),
  epoch: uuid,
  time,
});
export type EnrollAnswer = v.InferInput<typeof enrollAnswer>;

export const submitRequest = v.object({
  /** UUIDv7; stays the same over all attempts */
  submission: uuid,
  /** from the last acknowledgement; null where there was none */
  chain: v.nullable(chain),
  hostname,
  collected_at: time,
  /** of the list of bodies (see listDigest) */
  digest,
  /** body name → digest; absent where `digest` is the one last acknowledged */
  list: v.optional(v.record(bodyName, digest)),
  /** digest → body, for bodies that the server may not have */
  bodies: v.optional(v.record(digest, v.unknown())),
  /** the agent no longer holds what it had submitted under this id and had no answer to */
  gone: v.optional(v.literal(true)),
  agent: v.optional(version),
});
export type SubmitRequest = v.InferOutput<typeof submitRequest>;

export const submitAnswer = v.object({
  status: v.literal('ok'),
  submission: uuid,
  chain,
  /** there may be orders for this host: ask `update` */
  orders: v.optional(v.literal(true)),
  epoch: uuid,
  time,
});
export type SubmitAnswer = v.InferOutput<typeof submitAnswer>;

/** Signed by the host's key so far. */
export const rotateRequest = v.object({
  /** the key that takes over */
  public_key: publicKey,
  /** Ed25519 signature by that key over rotationStatement (rotation.ts), base64: whoever asks holds it */
  proof: v.pipe(v.string(), v.regex(/^[A-Za-z0-9+/]{86}==$/, 'expected 64 bytes in base64')),
  agent: v.optional(version),
});
export type RotateRequest = v.InferOutput<typeof rotateRequest>;

export const rotateAnswer = v.object({
  status: v.literal('rotated'),
  host_id: v.pipe(
    uuid,
    v.transform((text) => text as HostId),
  ),
  /** of the key that takes over: valid from now on */
  key_id: keyId,
  /** from then on the key that signed the request is refused */
  old_key_ends_at: time,
  epoch: uuid,
  time,
});
export type RotateAnswer = v.InferInput<typeof rotateAnswer>;

/** Any answer with a status of 400 or more. */
export const refusalAnswer = v.object({
  /** ErrorCode of core/errors.ts; newer servers may have others */
  error: v.string(),
  /** "cannot …" */
  reason: v.string(),
  time: v.optional(time),
  /** with `replayed`: the last sequence number that the server accepted */
  last: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** with `resend`: the names of the bodies that the server lacks; empty: send the list */
  names: v.optional(v.array(bodyName)),
});
export type RefusalAnswer = v.InferOutput<typeof refusalAnswer>;
