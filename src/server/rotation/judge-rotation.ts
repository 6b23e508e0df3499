import type { Enrollment } from '../../core/enrollment.ts';
import { Refusal } from '../../core/errors.ts';
import { type Host, type Identity, isValid, type KeyId } from '../../core/host.ts';
import { importPublicKey } from '../../crypto/ed25519-sodium.ts';
import { rotationStatement } from '../../wire/v2/rotation.ts';
import { refuseLost } from '../refuse-lost.ts';
import type { Rotated, Rotating } from './rotate-key.ts';

type Known = Host & { identity: Identity };

/** The host may have changed since its number was used up. @throws Refusal */
export function requireSpeaker(host: Known | undefined, { speaker }: Rotating, at: Date): Known {
  const key = host?.identity.keys.find(({ id }) => id === speaker.key_id);
  if (host === undefined || key === undefined) {
    throw new Refusal('unknown-key', 'cannot find a host with this key; enrol it first');
  }
  if (!isValid(key, at)) throw new Refusal('revoked-key', 'cannot take anything signed by a revoked key');
  refuseLost(host);
  return host;
}

/** @throws Refusal */
export function requireProof({ identity }: Known, { speaker, request }: Rotating): void {
  const { public_key, proof } = request;
  const statement = rotationStatement({ host_id: identity.host_id, old_key: speaker.key_id, public_key });
  if (importPublicKey(public_key).verify(statement, Buffer.from(proof, 'base64'))) return;
  throw new Refusal('bad-request', 'cannot add a key without the proof that its holder wants it (docs/protocol.md)');
}

/** What was answered to the same request before, where it was. */
export function rotatedBefore(
  { hostname, identity }: Known,
  { speaker }: Rotating,
  key_id: KeyId,
  at: Date,
): Rotated | undefined {
  const own = identity.keys.find(({ id }) => id === key_id);
  const ends_at = identity.keys.find(({ id }) => id === speaker.key_id)?.ends_at;
  if (own === undefined || ends_at === undefined || own.replaces !== speaker.key_id || !isValid(own, at))
    return undefined;
  return { hostname, host_id: identity.host_id, key_id, old_key_ends_at: ends_at };
}

/** @param record of the key, where it has one @throws Refusal */
export function requireNewKey(
  { identity }: Known,
  { key_id, replaces, none_since }: { key_id: KeyId; replaces: KeyId; none_since: Date },
  record: Enrollment | undefined,
): void {
  // An attempt that was cut off leaves the record of this very rotation.
  const cutOff = record?.status === 'approved' && record.host_id === identity.host_id && record.replaces === replaces;
  if (identity.keys.some(({ id }) => id === key_id) || (record !== undefined && !cutOff)) {
    throw new Refusal('known-key', 'cannot add a key that is, or was, known here; make a new one');
  }
  if (identity.keys.find(({ id }) => id === replaces)?.ends_at !== undefined) {
    throw new Refusal('replaced-key', 'cannot replace a key that another one takes over from already');
  }
  const last = identity.keys.findLast((key) => key.replaces !== undefined && key.added_at > none_since);
  if (last !== undefined) {
    throw new Refusal('rotated-recently', 'cannot replace the key again within an hour', {
      detail: `the last one came at ${last.added_at.toISOString()}`,
    });
  }
}
