import { messageOf } from '../../core/errors.ts';
import { readPublicKeys } from '../../crypto/openpgp.ts';
import type { Operator } from '../../crypto/order-signatures.ts';

export interface DescribedOperator {
  name: string;
  /** by the fingerprint of the primary key, upper-case hex */
  keys: { fingerprint: string; expired: boolean }[];
}

/** @throws where a key cannot be read: no order counts then */
export async function describeOperators(operators: readonly Operator[], now: Date): Promise<DescribedOperator[]> {
  return Promise.all(operators.map((operator) => describe(operator, now)));
}

async function describe({ name, keys }: Operator, now: Date): Promise<DescribedOperator> {
  const read = await readPublicKeys(keys).catch((cause: unknown) => {
    throw new Error(`operators/${name}.asc cannot be used: ${messageOf(cause)}`, { cause });
  });
  const described = read.map(async (key) => {
    const end = await key.getExpirationTime();
    return {
      fingerprint: key.getFingerprint().toUpperCase(),
      expired: end === null || (end instanceof Date && end <= now),
    };
  });
  return { name, keys: await Promise.all(described) };
}
