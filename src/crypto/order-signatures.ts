import { days } from '../core/duration.ts';
import { LONGEST_ORDER_DAYS, MOST_SIGNATURES } from '../wire/v2/order.ts';
import { readPublicKeys, type VerificationKeys, verifyDetached } from './openpgp.ts';
import { isRevoked, type OrderTrust, operatorKeys } from './order-trust.ts';

/** Whose signatures over an order count. */
export interface OrderSigners {
  /** the server's order key signed */
  server: boolean;
  /** fingerprints of operators' primary keys, each once, however many signatures it or its subkeys made */
  operators: string[];
  /** why others do not count, each once */
  faults: string[];
}

/** No order counts for longer; beyond, a signature belongs to no order that could still count. */
const OLDEST = days(LONGEST_ORDER_DAYS + 1);

/**
 * Which signatures over the exact bytes of a manifest count. Whether they are enough is for whoever asks (trust.d).
 * The server's own key never counts as an operator's, nor does one that is revoked or has expired.
 * @param now by the best clock there is
 * @throws where the keys of `trust` cannot be read; whatever the signatures hold, this answers
 */
export async function verifyOrder(
  manifestText: string,
  signatures: readonly string[],
  trust: OrderTrust,
  now: Date,
): Promise<OrderSigners> {
  const { order, revocations } = trust;
  const serverRevoked = isRevoked(revocations, 'order', order.fingerprint);
  const serverKeys = serverRevoked ? [] : (await readPublicKeys(order.key)).filter(isCalled(order.fingerprint));
  const operators = await withoutExpired(await operatorKeys(trust), now);
  const found = { server: false, operators: new Set<string>(), faults: new Set<string>() };
  for (const armoredSignature of signatures.slice(0, MOST_SIGNATURES)) {
    const verify = (keys: VerificationKeys) =>
      verifyDetached({ armoredSignature, data: manifestText, keys, now, maxAge: OLDEST });
    if ((await verify(serverKeys)).ok) {
      found.server = true;
      continue;
    }
    const verdict = await verify(operators);
    const signer = verdict.ok ? primaryOf(operators, verdict.keyFingerprint) : undefined;
    if (!verdict.ok) found.faults.add(verdict.reason);
    else if (signer === undefined || isRevoked(revocations, 'operator', verdict.keyFingerprint)) {
      found.faults.add('the signing key is revoked');
    } else found.operators.add(signer);
  }
  return { server: found.server, operators: [...found.operators], faults: [...found.faults] };
}

const fingerprintsOf = (key: VerificationKeys[number]) =>
  key.getKeys().map((each) => each.getFingerprint().toUpperCase());
const primaryFingerprint = (key: VerificationKeys[number]) => key.getFingerprint().toUpperCase();
const isCalled = (fingerprint: string) => (key: VerificationKeys[number]) => primaryFingerprint(key) === fingerprint;

function primaryOf(keys: VerificationKeys, fingerprint: string): string | undefined {
  const key = keys.find((each) => fingerprintsOf(each).includes(fingerprint));
  return key === undefined ? undefined : primaryFingerprint(key);
}

/** A key that has ended could sign with a date from before. */
async function withoutExpired(keys: VerificationKeys, now: Date): Promise<VerificationKeys> {
  const ends = await Promise.all(keys.map((key) => key.getExpirationTime().catch(() => null)));
  return keys.filter((_, index) => {
    const end = ends[index];
    // null: the key has no valid self-signature; a number is Infinity
    return end instanceof Date ? end > now : end !== null && end !== undefined;
  });
}
