import { messageOf } from '../../core/errors.ts';
import { readPublicKeys, type VerificationKeys, verifyDetached } from '../../crypto/openpgp.ts';
import { isRevoked } from '../../crypto/order-trust.ts';
import type { OrderDocument } from '../../wire/v2/order.ts';
import type { Operator } from './read-policy.ts';
import type { TrustState } from './trust-state.ts';

/** Whose signature is good. */
export interface Signer {
  role: 'server' | 'operator';
  /** of an operator: the file in operators/, less `.asc` */
  name: string;
  /** a key that was replaced signs for orders that were made before this */
  until?: string;
}

interface Known extends Signer {
  key: VerificationKeys[number];
  /** of the primary key */
  fingerprint: string;
}

/** All public keys that this host knows, those that are revoked or replaced too, so that a refusal can say which it is. */
export type Keyring = readonly Known[];

/** @throws where a key of trust.d cannot be read: no order counts then */
export async function openKeyring(
  { order, former }: Pick<TrustState, 'order' | 'former'>,
  operators: readonly Operator[],
): Promise<Keyring> {
  const ring: Known[] = [];
  const add = async (keys: string, signer: Signer) => {
    for (const key of await readPublicKeys(keys)) {
      const fingerprint = key.getFingerprint().toUpperCase();
      // The server's key is no operator's, and the same key in two files is still one person's.
      if (!ring.some((one) => one.fingerprint === fingerprint)) ring.push({ ...signer, key, fingerprint });
    }
  };
  if (order !== null) await add(order.key, { role: 'server', name: 'server' });
  for (const { key, until } of [...former].reverse()) await add(key, { role: 'server', name: 'server', until });
  for (const { name, keys } of operators) {
    await add(keys, { role: 'operator', name }).catch((cause: unknown) => {
      throw new Error(`operators/${name}.asc cannot be used: ${messageOf(cause)}`, { cause });
    });
  }
  return ring;
}

export interface CheckedSignatures {
  /** one for each signer, however often he signed */
  signers: Signer[];
  /** why the others do not count */
  faults: string[];
}

export async function checkSignatures(
  { manifest, signatures }: OrderDocument,
  ring: Keyring,
  revocations: TrustState['revocations'],
  now: Date,
): Promise<CheckedSignatures> {
  const signers = new Map<string, Signer>();
  const faults: string[] = [];
  const keys = ring.map(({ key }) => key);
  for (const armoredSignature of signatures) {
    const maxAge = Number.POSITIVE_INFINITY;
    const verdict = await verifyDetached({ armoredSignature, data: manifest, keys, now, maxAge });
    const signer = verdict.ok ? ownerOf(verdict.keyFingerprint, ring) : undefined;
    const fault = verdict.ok ? await findFault(signer, revocations, now) : verdict.reason;
    if (fault !== undefined || signer === undefined) faults.push(fault ?? 'the signing key is not known');
    else {
      const { role, name, until } = signer;
      const known = signers.get(`${role} ${name}`);
      if (known !== undefined && known.until === undefined) continue;
      signers.set(`${role} ${name}`, { role, name, ...(until === undefined ? {} : { until }) });
    }
  }
  return { signers: [...signers.values()], faults };
}

function ownerOf(fingerprint: string, ring: Keyring): Known | undefined {
  return ring.find(({ key }) => key.getKeys().some((one) => one.getFingerprint().toUpperCase() === fingerprint));
}

async function findFault(
  signer: Known | undefined,
  revocations: TrustState['revocations'],
  now: Date,
): Promise<string | undefined> {
  if (signer === undefined) return 'the signing key is not known';
  const whose = signer.role === 'server' ? "the server's order key" : `the key of the operator ${signer.name}`;
  const kind = signer.role === 'server' ? 'order' : 'operator';
  if (isRevoked(revocations, kind, signer.fingerprint)) return `${whose} that signed is revoked`;
  const end = await signer.key.getExpirationTime();
  if (end instanceof Date && end <= now) return `${whose} that signed has expired`;
  if (end === null) return `${whose} that signed is not valid`;
  return undefined;
}
