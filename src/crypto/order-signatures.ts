import { days } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import { LONGEST_ORDER_DAYS, MOST_SIGNATURES, type OrderDocument } from '../wire/v2/order.ts';
import type { RevocationList } from '../wire/v2/revocations.ts';
import { readPublicKeys, type Verdict, type VerificationKeys, verifyDetached } from './openpgp.ts';
import { isRevoked, type OrderKey, type OrderTrust } from './order-trust.ts';

/** Somebody whose signature counts: all keys of one file of trust.d/operators/ are one person's. */
export interface Operator {
  /** of the file, less `.asc` */
  name: string;
  /** armored, public */
  keys: string;
}

/** Whose signature is good. */
export interface Signer {
  role: 'server' | 'operator';
  /** of an operator: the file in operators/, less `.asc` */
  name: string;
  /** a key that was replaced signs for orders that were made before this */
  until?: string;
  /** of the primary key, upper-case hex */
  fingerprint: string;
}

interface Known extends Signer {
  key: VerificationKeys[number];
}

/** All public keys that a host knows, those that are revoked or replaced too, so that a refusal can say which it is. */
export type Keyring = readonly Known[];

/** @throws where a key of trust.d cannot be read: no order counts then */
export async function openKeyring(
  { order, former }: { order: OrderKey | null; former: readonly (OrderKey & { until: string })[] },
  operators: readonly Operator[],
): Promise<Keyring> {
  const ring: Known[] = [];
  const add = async (keys: string, signer: Omit<Signer, 'fingerprint'>) => {
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

/** No order counts for longer; beyond, a signature belongs to no order that could still count. */
const OLDEST = days(LONGEST_ORDER_DAYS + 1);

export interface CheckedSignatures {
  /** one for each signer, however often he signed */
  signers: Signer[];
  /** why the others do not count */
  faults: string[];
}

/**
 * Which signatures over the exact bytes of a manifest count. Whether they are enough is for whoever asks (trust.d). The server's own key never
 * counts as an operator's, nor does one that is revoked or has expired. @param now by the best clock there is
 */
export async function checkSignatures(
  { manifest, signatures }: OrderDocument,
  ring: Keyring,
  revocations: RevocationList | null,
  now: Date,
): Promise<CheckedSignatures> {
  const signers = new Map<string, Signer>();
  const faults: string[] = [];
  const keys = ring.map(({ key }) => key);
  for (const armoredSignature of signatures.slice(0, MOST_SIGNATURES)) {
    const verdict = await verifyDetached({ armoredSignature, data: manifest, keys, now, maxAge: OLDEST });
    const signer = verdict.ok ? ownerOf(verdict.keyFingerprint, ring) : undefined;
    const fault = verdict.ok ? await findFault(signer, verdict, revocations, now) : verdict.reason;
    if (fault !== undefined || signer === undefined) faults.push(fault ?? 'the signing key is not known');
    else {
      const { role, name, until, fingerprint } = signer;
      const known = signers.get(`${role} ${name}`);
      if (known !== undefined && known.until === undefined) continue;
      signers.set(`${role} ${name}`, { role, name, fingerprint, ...(until === undefined ? {} : { until }) });
    }
  }
  return { signers: [...signers.values()], faults: [...new Set(faults)] };
}

function ownerOf(fingerprint: string, ring: Keyring): Known | undefined {
  return ring.find(({ key }) => key.getKeys().some((one) => one.getFingerprint().toUpperCase() === fingerprint));
}

async function findFault(
  signer: Known | undefined,
  { keyFingerprint: signing, createdAt }: Extract<Verdict, { ok: true }>,
  revocations: RevocationList | null,
  now: Date,
): Promise<string | undefined> {
  if (signer === undefined) return 'the signing key is not known';
  const whose = signer.role === 'server' ? "the server's order key" : `the key of the operator ${signer.name}`;
  const kind = signer.role === 'server' ? 'order' : 'operator';
  const isEnded = [signer.fingerprint, signing].some((one) => isRevoked(revocations, kind, one));
  if (isEnded) return `${whose} that signed is revoked`;
  const end = await signer.key.getExpirationTime().catch(() => null);
  if (end instanceof Date && end <= now) return `${whose} that signed has expired`;
  if (end === null) return `${whose} that signed is not valid`;
  return (await maySign(signer.key, signing, later(now, createdAt))) ? undefined : `${whose} that signed has expired`;
}

/** Whoever has a subkey that is over may date a signature back to when it was not: so it is asked as of now, too. */
function maySign(key: Known['key'], signing: string, at: Date): Promise<boolean> {
  const id = key
    .getKeys()
    .find((one) => one.getFingerprint().toUpperCase() === signing)
    ?.getKeyID();
  return key.getSigningKey(id, at).then(
    () => true,
    () => false,
  );
}

/** Where this host's clock is a little behind, the key may be from its future. */
function later(one: Date, other: Date): Date {
  return one > other ? one : other;
}

/** The same by the trust of order-trust.ts, where each operator is a key. @throws where the keys of `trust` cannot be read */
export async function verifyOrder(
  manifest: string,
  signatures: readonly string[],
  { order, operators, revocations }: OrderTrust,
  now: Date,
): Promise<{ server: boolean; operators: string[]; faults: string[] }> {
  const people = operators.map((keys, index) => ({ name: String(index), keys }));
  const ring = await openKeyring({ order, former: [] }, people);
  const { signers, faults } = await checkSignatures({ manifest, signatures: [...signatures] }, ring, revocations, now);
  return {
    server: signers.some(({ role }) => role === 'server'),
    operators: signers.flatMap(({ role, fingerprint }) => (role === 'operator' ? [fingerprint] : [])),
    faults,
  };
}
