/** What a host trusts orders by, and how that changes: from what is trusted now and a statement to what is trusted then, or why not. */
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../wire/v2/digest.ts';
import type { OrderKeyStatement } from '../wire/v2/order-key.ts';
import type { Revocation, RevocationList, RevocationStatement } from '../wire/v2/revocations.ts';
import { describeKeys, readPublicKeys, type VerificationKeys, verifyDetached } from './openpgp.ts';

export interface OrderKey {
  /** 0 for the first key of a server */
  number: number;
  /** of the primary key, upper-case hex */
  fingerprint: string;
  /** armored, public */
  key: string;
}

export interface OrderTrust {
  order: OrderKey;
  /** trust.d `command_authorization`: whether the server's word is enough, or an operator must have signed too */
  authorization: 'server' | 'operator';
  /** the operators' armored public keys out of trust.d */
  operators: readonly string[];
  /** the last list that was taken; null before the first */
  revocations: RevocationList | null;
}

/** What a host trusts that takes the server's word. */
export function serversWord(order: OrderKey, revocations: RevocationList | null = null): OrderTrust {
  return { order, authorization: 'server', operators: [], revocations };
}

export type Taken = { ok: true; trust: OrderTrust; changed: boolean } | { ok: false; reason: string };

/** The next order key. @param now by the best clock there is: a signature that has expired by then does not count */
export async function takeOrderKey(trust: OrderTrust, document: OrderKeyStatement, now: Date): Promise<Taken> {
  const { statement } = document;
  const { number, fingerprint } = trust.order;
  const at = `number ${statement.number}`;
  if (statement.number === number) {
    if (statement.new_fingerprint === fingerprint) return { ok: true, trust, changed: false };
    return refuse(`the order keys fork: ${at} is another key`);
  }
  if (statement.number < number) return refuse(`the order keys go back: ${at}, after ${number}`);
  if (statement.number > number + 1) return refuse(`the order keys have a gap: ${at}, after ${number}`);
  if (statement.old_fingerprint !== fingerprint) return refuse(`the order keys fork: ${at} replaces another key`);
  const fault = await findKeyFault(trust, statement);
  if (fault !== undefined) return refuse(fault);
  const unsigned = await findSignatureFault(trust, document, now);
  if (unsigned !== undefined) return refuse(unsigned);
  const order = { number: statement.number, fingerprint: statement.new_fingerprint, key: statement.new_key };
  return { ok: true, trust: { ...trust, order }, changed: true };
}

/** The next list of revocations. It may end the very key that signed it: its last word counts. */
export async function takeRevocations(trust: OrderTrust, document: RevocationStatement, now: Date): Promise<Taken> {
  const { statement } = document;
  const last = trust.revocations;
  if (last !== null) {
    if (statement.number < last.number) {
      return refuse(`the list of revocations goes back: number ${statement.number}, after ${last.number}`);
    }
    if (statement.number === last.number) {
      if (isDeepStrictEqual(statement, last)) return { ok: true, trust, changed: false };
      return refuse(`the list of revocations forks: there are two with number ${statement.number}`);
    }
  }
  const fault = findListFault(last?.revoked ?? [], statement.revoked);
  if (fault !== undefined) return refuse(fault);
  const unsigned = await findSignatureFault(trust, document, now);
  if (unsigned !== undefined) return refuse(unsigned);
  return { ok: true, trust: { ...trust, revocations: statement }, changed: true };
}

export function isRevoked(list: RevocationList | null, kind: string, fingerprint: string): boolean {
  return list?.revoked.some((one) => one.kind === kind && one.fingerprint === fingerprint) ?? false;
}

/** A list holds each key once, and all that the last one held, as it held it. */
function findListFault(before: readonly Revocation[], after: readonly Revocation[]): string | undefined {
  const byKey = new Map(after.map((one) => [`${one.kind} ${one.fingerprint}`, one]));
  if (byKey.size !== after.length) return 'the list of revocations names a key twice';
  const dropped = before.find((one) => !isDeepStrictEqual(byKey.get(`${one.kind} ${one.fingerprint}`), one));
  if (dropped === undefined) return undefined;
  return `the list of revocations drops, or changes, the ${dropped.kind} key ${dropped.fingerprint}`;
}

/** The new key is what the statement calls it, public, alone, and not revoked. */
async function findKeyFault(
  { order, revocations }: OrderTrust,
  { new_key, new_fingerprint }: OrderKeyStatement['statement'],
): Promise<string | undefined> {
  const [key, ...more] = await describeKeys(new_key).catch(() => []);
  if (key === undefined || more.length > 0) return 'the new order key cannot be read as one key';
  if (key.kind !== 'public') return 'the new order key comes with its secret half';
  if (key.fingerprint !== new_fingerprint) return 'the new order key is not the one of its fingerprint';
  if (new_fingerprint === order.fingerprint) return 'the new order key is the old one';
  if (isRevoked(revocations, 'order', new_fingerprint)) return 'the new order key is revoked';
  return undefined;
}

interface Signed {
  statement: object;
  signature: string;
  operator_signature?: string | undefined;
}

async function findSignatureFault(
  trust: OrderTrust,
  { statement, signature, operator_signature }: Signed,
  now: Date,
): Promise<string | undefined> {
  const data = canonicalJson(statement);
  if (isRevoked(trust.revocations, 'order', trust.order.fingerprint)) return 'the order key that signed is revoked';
  const verify = async (keys: VerificationKeys, armoredSignature: string) =>
    verifyDetached({ data, armoredSignature, keys, now, maxAge: Number.POSITIVE_INFINITY });
  const byServer = await verify(await readPublicKeys(trust.order.key), signature);
  if (!byServer.ok) return `the order key's signature does not count: ${byServer.reason}`;
  if (trust.authorization !== 'operator') return undefined;
  if (operator_signature === undefined) return "an operator's signature is missing, which this host demands";
  const byOperator = await verify(await operatorKeys(trust), operator_signature);
  return byOperator.ok ? undefined : `the operator's signature does not count: ${byOperator.reason}`;
}

/** Whose word counts beside the server's: neither a revoked key's, nor the server's own once more. */
async function operatorKeys({ operators, order, revocations }: OrderTrust): Promise<VerificationKeys> {
  const keys = (await Promise.all(operators.map(readPublicKeys))).flat();
  return keys.filter((key) => {
    const fingerprint = key.getFingerprint().toUpperCase();
    return fingerprint !== order.fingerprint && !isRevoked(revocations, 'operator', fingerprint);
  });
}

function refuse(reason: string): Taken {
  return { ok: false, reason };
}
