import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { KeyId } from '../core/host.ts';

/** SubjectPublicKeyInfo of Ed25519 up to the 32 raw bytes (RFC 8410 section 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface SigningKey {
  id: KeyId;
  /** raw 32 bytes, base64 */
  publicKey: string;
  sign(message: Uint8Array | string): Uint8Array;
}

/** @returns the private key as PKCS #8 PEM */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Beside the keys, not in them: whoever prints a key must not print this. */
const secrets = new WeakMap<SigningKey, KeyObject>();

/** @returns the private key as PKCS #8 PEM, for another process of this server */
export function exportSigningKey(key: SigningKey): string {
  const secret = secrets.get(key);
  if (secret === undefined) throw new TypeError('cannot export a key that was not loaded here');
  return secret.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** @throws where the PEM does not hold an Ed25519 private key */
export function loadSigningKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('cannot sign with a key that is not Ed25519');
  const raw = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX.length);
  const signing: SigningKey = {
    id: keyIdOf(raw),
    publicKey: raw.toString('base64'),
    sign: (message) => sign(null, typeof message === 'string' ? Buffer.from(message) : message, key),
  };
  secrets.set(signing, key);
  return signing;
}

/** @param publicKey raw 32 bytes, or their base64 */
export function keyIdOf(publicKey: Uint8Array | string): KeyId {
  const raw = typeof publicKey === 'string' ? Buffer.from(publicKey, 'base64') : publicKey;
  return createHash('sha256').update(raw).digest('base64url') as KeyId;
}

/** A public key, to verify with. */
export interface VerificationKey {
  verify(message: Uint8Array | string, signature: Uint8Array): boolean;
}

/** @param publicKey raw 32 bytes, base64 */
export function importPublicKey(publicKey: string): VerificationKey {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== 32) throw new TypeError(`expected 32 bytes of an Ed25519 key, got ${raw.length}`);
  // as JWK (RFC 8037): seven times faster than through DER
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  return {
    verify: (message, signature) =>
      verify(null, typeof message === 'string' ? Buffer.from(message) : message, key, signature),
  };
}
