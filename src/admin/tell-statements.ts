import { isDeepStrictEqual } from 'node:util';
import { OperatorError } from '../core/errors.ts';
import type { Fields } from '../core/value.ts';
import { type OrderKey, serversWord, takeRevocations } from '../crypto/order-trust.ts';
import type { Store } from '../store/port.ts';
import type { OrderKeyStatement } from '../wire/v2/order-key.ts';
import type { RevocationStatement } from '../wire/v2/revocations.ts';

export interface KeyNews {
  /** the order key that signs now */
  present: OrderKey;
  statements: readonly OrderKeyStatement[];
  revocations: RevocationStatement | undefined;
}

/**
 * Puts into the store what it lacks of the keys that hosts are to learn of. Harmless when repeated.
 * @throws OperatorError where the store holds another statement of that number: hosts would not learn of ours
 */
export async function tellStatements(
  { orders }: Pick<Store, 'orders'>,
  { present, statements, revocations }: KeyNews,
  now: Date,
): Promise<void> {
  const known = new Map((await orders.statements('order-key', 0)).map(({ number, document }) => [number, document]));
  for (const document of statements) {
    const { number } = document.statement;
    const there = known.get(number);
    const told =
      there === undefined
        ? await orders.putStatement({ kind: 'order-key', number, document: asFields(document) })
        : isDeepStrictEqual(there, asFields(document));
    if (told) continue;
    throw new OperatorError(
      `cannot tell hosts of order key ${number}: the store holds something else under that number, which this server never signed; somebody changed it. Restore a backup (penguindome restore)`,
    );
  }
  if (revocations === undefined) return;
  const { number } = revocations.statement;
  if ((await orders.statements('revocations', number - 1)).length > 0) return;
  // A rotation that was cut off leaves a list by a key that hosts do not know yet.
  if (!(await takeRevocations(serversWord(present), revocations, now)).ok) return;
  await orders.putStatement({ kind: 'revocations', number, document: asFields(revocations) });
}

/** As the store keeps it: what is absent has no field. */
export function asFields({
  statement,
  signature,
  operator_signature,
}: OrderKeyStatement | RevocationStatement): Fields {
  return { statement, signature, ...(operator_signature === undefined ? {} : { operator_signature }) };
}
