/**
 * Ed25519 as ed25519.ts has it, computed by libsodium, which takes two thirds of OpenSSL's time: for a server, which verifies one signature and
 * makes another for every request. It refuses a few keys and signatures that no honest signer makes (points of small order).
 */
import { createPrivateKey } from 'node:crypto';
import sodium from 'sodium-native';
import { loadSigningKey as loadByOpenssl, type SigningKey, type VerificationKey } from './ed25519.ts';

/** @param publicKey raw 32 bytes, base64 */
export function importPublicKey(publicKey: string): VerificationKey {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== sodium.crypto_sign_PUBLICKEYBYTES) {
    throw new TypeError(`expected 32 bytes of an Ed25519 key, got ${raw.length}`);
  }
  return {
    verify: (message, signature) =>
      signature.length === sodium.crypto_sign_BYTES &&
      sodium.crypto_sign_verify_detached(signature, bytesOf(message), raw),
  };
}

/** @throws where the PEM does not hold an Ed25519 private key */
export function loadSigningKey(pem: string): SigningKey {
  const { id, publicKey } = loadByOpenssl(pem);
  const { d: seed = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const secret = Buffer.alloc(sodium.crypto_sign_SECRETKEYBYTES);
  sodium.crypto_sign_seed_keypair(
    Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES),
    secret,
    Buffer.from(seed, 'base64url'),
  );
  return {
    id,
    publicKey,
    sign(message) {
      const signature = Buffer.allocUnsafe(sodium.crypto_sign_BYTES);
      sodium.crypto_sign_detached(signature, bytesOf(message), secret);
      return signature;
    },
  };
}

function bytesOf(message: Uint8Array | string): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message) : message;
}
