import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { PublicKey, SignaturePacket } from 'openpgp';

/** RFC 9580, 9.1 and 9.5. */
const RSA: readonly number[] = [1, 3];
const HASHES = new Map<number, string>([
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
]);
const BINARY = 0;

type SigningKey = ReturnType<PublicKey['getKeys']>[number]['keyPacket'];

/** openpgp imports a key anew for each signature; a reading of the settings makes new key packets. */
const imported = new WeakMap<SigningKey, { key: KeyObject; bytes: number } | undefined>();

/**
 * Whether an RSA signature over bytes is one of which openpgp would say so too: OpenSSL computes, openpgp decides on the key.
 * @param packet as openpgp read it
 * @param signer the key with the issuer's key id
 * @returns false also for what is not of the ordinary kind: then ask openpgp
 */
export async function isGenuineRsa(packet: SignaturePacket, data: Uint8Array, signer: PublicKey): Promise<boolean> {
  const [signing] = signer.getKeys(packet.issuerKeyID);
  const { created, signatureData, signedHashValue } = packet;
  if (signing === undefined || created === null || signatureData === null || signedHashValue === null) return false;
  const { keyPacket } = signing;
  const hash = HASHES.get(packet.hashAlgorithm ?? 0);
  if (hash === undefined || !isOrdinary(packet) || packet.publicKeyAlgorithm !== keyPacket.algorithm) return false;
  if (!packet.issuerKeyID.equals(keyPacket.getKeyID()) || keyPacket.getCreationTime() > created) return false;
  const number = bytesIn(packet, 'params', 's');
  const rsa = importRsa(keyPacket);
  if (number === undefined || rsa === undefined || number.length > rsa.bytes) return false;
  const signed = Buffer.concat([data, signatureData, trailer(signatureData.length)]);
  if (!createHash(hash).update(signed).digest().subarray(0, 2).equals(signedHashValue)) return false;
  if (!verify(hash, signed, rsa.key, filled(number, rsa.bytes))) return false;
  return mayHaveSigned(signer, packet, created);
}

/** Nothing in it that says more than who signed what and when. */
function isOrdinary(packet: SignaturePacket): boolean {
  return (
    packet.version === 4 &&
    packet.signatureType === BINARY &&
    RSA.includes(packet.publicKeyAlgorithm ?? 0) &&
    packet.revocationKeyClass === null &&
    !packet.unknownSubpackets.some(({ critical }) => critical) &&
    !packet.rawNotations.some(({ critical }) => critical)
  );
}

/** RFC 9580, 5.2.4: the version, 0xff, and how much of the packet is hashed. */
function trailer(hashed: number): Buffer {
  const bytes = Buffer.from([4, 0xff, 0, 0, 0, 0]);
  bytes.writeUInt32BE(hashed, 2);
  return bytes;
}

/** A packet's number begins at its first bit that is set (RFC 9580, 3.2); RFC 8017, 8.2.2 wants the modulus' length. */
function filled(number: Uint8Array, bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  whole.set(number, bytes - number.length);
  return whole;
}

/** Flags, expiry, revocation and strength of the key as they were then. */
async function mayHaveSigned(signer: PublicKey, { issuerKeyID }: SignaturePacket, then: Date): Promise<boolean> {
  try {
    await signer.getSigningKey(issuerKeyID, then);
    return true;
  } catch {
    return false;
  }
}

function importRsa(packet: SigningKey): { key: KeyObject; bytes: number } | undefined {
  if (!imported.has(packet)) imported.set(packet, readRsa(packet));
  return imported.get(packet);
}

function readRsa(packet: SigningKey): { key: KeyObject; bytes: number } | undefined {
  const [n, e] = [bytesIn(packet, 'publicParams', 'n'), bytesIn(packet, 'publicParams', 'e')];
  if (!RSA.includes(packet.algorithm) || n === undefined || e === undefined) return undefined;
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
  try {
    return { key: createPublicKey({ key: { kty: 'RSA', n: text(n), e: text(e) }, format: 'jwk' }), bytes: n.length };
  } catch {
    return undefined;
  }
}

/** Numbers that openpgp has read and does not type. */
function bytesIn(packet: object, part: string, name: string): Uint8Array | undefined {
  const params: unknown = Reflect.get(packet, part);
  const bytes: unknown = typeof params === 'object' && params !== null ? Reflect.get(params, name) : undefined;
  return bytes instanceof Uint8Array ? bytes : undefined;
}
