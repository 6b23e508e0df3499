import type { enums, Key, PublicKey, Signature } from 'openpgp';
import type { Milliseconds } from '../core/duration.ts';
import { isGenuineRsa } from './rsa-signature.ts';
import { readPlainArmor } from './signature-armor.ts';

/** Loaded when first used: openpgp costs 90 ms, and most commands never need it. Asked for again, `import` looks it up again. */
let loaded: Promise<typeof import('openpgp')> | undefined;
const load = (): Promise<typeof import('openpgp')> => {
  loaded ??= import('openpgp');
  return loaded;
};

/** An armored signature is under 2 KB, by RSA-8192 too; what is larger is not looked at. */
const LONGEST_SIGNATURE = 16 * 1024;

/** Public keys whose signatures count. */
export type VerificationKeys = readonly PublicKey[];

export type Verdict =
  /** `keyFingerprint`: upper-case hex, of the (sub)key that signed */
  | { ok: true; keyFingerprint: string; createdAt: Date }
  /** `stale`: the signature is genuine but for its age */
  | { ok: false; reason: string; stale?: true };

/**
 * Checks a detached armored signature over the UTF-8 bytes of `data`. Whatever the signature holds, this answers and does not reject.
 * @param check.maxAge the signature may be this old, or this far in the future
 */
export async function verifyDetached(check: {
  armoredSignature: string;
  data: string;
  keys: VerificationKeys;
  now: Date;
  maxAge: Milliseconds;
}): Promise<Verdict> {
  const openpgp = await load();
  const signature = await readOneSignature(check.armoredSignature);
  if (typeof signature === 'string') return refuse(signature);
  const [packet] = signature.packets;
  if (packet === undefined || packet.created === null) return refuse('the signature has no time');
  // A text signature does not cover line ends: the same one would fit other bytes, and the ledger of replays would not know them.
  if (packet.signatureType !== openpgp.enums.signature.binary) return refuse('the signature is not one over bytes');
  if (packet.hashAlgorithm === null || !strongHashes(openpgp.enums).has(packet.hashAlgorithm)) {
    return refuse('the signature uses a weak hash');
  }
  const data = new TextEncoder().encode(check.data);
  try {
    const signer = check.keys.find((key) => key.getKeys(packet.issuerKeyID).length > 0);
    if (signer === undefined || !(await isGenuineRsa(packet, data, signer)))
      await verifyAny(data, signature, check.keys);
    const signingKey = signer?.getKeys(packet.issuerKeyID)[0];
    if (signer === undefined || signingKey === undefined) return refuse('the signing key is not known');
    if (await signer.isRevoked(undefined, undefined, check.now)) return refuse('the signing key is revoked');
    if (packet.getExpirationTime() <= check.now) return refuse('the signature has expired');
    return judgeAge(packet.created, signingKey.getFingerprint().toUpperCase(), check);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'the signature does not verify');
  }
}

/** By openpgp alone: ten times the time of isGenuineRsa, and every kind of key. @throws where the signature is not genuine */
async function verifyAny(data: Uint8Array, signature: Signature, keys: VerificationKeys): Promise<void> {
  const openpgp = await load();
  const message = await openpgp.createMessage({ binary: data });
  // `date: null`: openpgp would refuse a signature one second ahead of us; the age is ours to check
  const verificationKeys = [...keys];
  const { signatures } = await openpgp.verify({ message, signature, verificationKeys, date: null, format: 'binary' });
  const [only] = signatures;
  if (only === undefined || signatures.length !== 1) throw new TypeError('expected one signature');
  await only.verified;
}

/**
 * Public keys out of armored text: one block with several keys, or several blocks. Of secret keys only the public half is kept.
 * @throws where the text holds no key
 */
export async function readPublicKeys(armored: string): Promise<VerificationKeys> {
  return (await readBlocks(armored)).map((key) => key.toPublic());
}

/** What may be said of the keys in armored text. @throws where the text holds no key */
export async function describeKeys(armored: string): Promise<
  {
    /** of the primary key, upper-case hex */
    fingerprint: string;
    kind: 'public' | 'secret' | 'secret, locked by a passphrase';
    createdAt: Date;
  }[]
> {
  return (await readBlocks(armored)).map((key) => {
    const kind = !key.isPrivate() ? 'public' : key.isDecrypted() ? 'secret' : 'secret, locked by a passphrase';
    return { fingerprint: key.getFingerprint().toUpperCase(), kind, createdAt: key.getCreationTime() };
  });
}

/** The same keys without their secret halves, one armored block after the other. */
export async function publicHalves(armored: string): Promise<string> {
  return (await readPublicKeys(armored)).map((key) => key.armor()).join('');
}

async function readBlocks(armored: string): Promise<Key[]> {
  const { readKeys } = await load();
  const blocks =
    armored.match(/-----BEGIN PGP (?:PUBLIC|PRIVATE) KEY BLOCK-----[\s\S]*?-----END PGP [^\n]*-----/g) ?? [];
  const keys = (await Promise.all(blocks.map((block) => readKeys({ armoredKeys: block })))).flat();
  if (keys.length === 0) throw new TypeError('cannot find an armored OpenPGP key');
  return keys;
}

/** @returns the primary key's fingerprint, upper-case hex. @throws where the text does not hold exactly one key */
export async function fingerprintOf(armored: string): Promise<string> {
  const [key, ...more] = await readPublicKeys(armored);
  if (key === undefined || more.length > 0) throw new TypeError(`expected one OpenPGP key, got ${more.length + 1}`);
  return key.getFingerprint().toUpperCase();
}

/**
 * A key that signs orders, without a passphrase and without an end. `ed25519Legacy`, so that GnuPG 2.2 reads it.
 * Dated back, so that a host whose clock is a little behind accepts what it signs.
 */
export async function generateOrderKey(options: {
  userId: string;
  createdAt: Date;
}): Promise<{ secretKey: string; publicKey: string; fingerprint: string }> {
  const { generateKey, enums: names } = await load();
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    curve: 'ed25519Legacy',
    userIDs: [{ name: options.userId }],
    date: options.createdAt,
    subkeys: [],
    format: 'object',
    config: { preferredHashAlgorithm: names.hash.sha512 },
  });
  return {
    secretKey: privateKey.armor(),
    publicKey: publicKey.armor(),
    fingerprint: publicKey.getFingerprint().toUpperCase(),
  };
}

function refuse(reason: string): Verdict {
  return { ok: false, reason };
}

function judgeAge(createdAt: Date, keyFingerprint: string, check: { now: Date; maxAge: Milliseconds }): Verdict {
  const age = check.now.getTime() - createdAt.getTime();
  if (age > check.maxAge) return { ok: false, reason: 'the signature is too old', stale: true };
  if (age < -check.maxAge) return { ok: false, reason: 'the signature is from the future', stale: true };
  return { ok: true, keyFingerprint, createdAt };
}

/** @returns the signature, or why it cannot be read */
async function readOneSignature(armoredSignature: string): Promise<Signature | string> {
  if (armoredSignature.length > LONGEST_SIGNATURE) return 'the signature is too long';
  const blocks = armoredSignature.split('-----BEGIN PGP ').length - 1;
  if (blocks > 1) return `expected one signature, got ${blocks}`;
  const { readSignature, SignaturePacket } = await load();
  try {
    const plain = readPlainArmor(armoredSignature);
    const signature = await (plain === undefined
      ? readSignature({ armoredSignature })
      : readSignature({ binarySignature: plain }));
    if (signature.packets.length !== 1) return `expected one signature, got ${signature.packets.length}`;
    return signature.packets[0] instanceof SignaturePacket ? signature : 'the signature is of an unknown kind';
  } catch {
    return 'the signature cannot be read';
  }
}

/** SHA-256 or better. */
function strongHashes({ hash }: typeof enums): ReadonlySet<enums.hash> {
  return new Set([hash.sha256, hash.sha384, hash.sha512, hash.sha3_256, hash.sha3_512]);
}
