import { join } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { isRevoked, type OrderKey, serversWord, takeOrderKey } from '../crypto/order-trust.ts';
import { signDetached } from '../crypto/sign-detached.ts';
import {
  loadOrderKeys,
  loadOrderSecret,
  loadRevocations,
  ORDER_KEYS,
  type OrderKeys,
} from '../settings/order-key-files.ts';
import type { Store } from '../store/port.ts';
import { readOrderKeyStatement } from '../wire/v2/order-key.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { tellStatements } from './tell-statements.ts';

/** Signs with this server's present order key. */
export interface OrderSigner {
  key: OrderKey;
  sign(text: string | Uint8Array): Promise<string>;
}

/**
 * The server's order key, ready to sign. What a crash, or the restore of an older backup, kept from the store is told to it first:
 * hosts must be able to learn of the key.
 */
export async function openOrderSigner(context: AdminContext): Promise<OrderSigner> {
  const { keys } = await context.settings();
  const { clock } = context;
  const store = await context.store();
  const loaded = await loadOrderKeys({ keys }, clock.now());
  const revocations = await loadRevocations({ keys });
  const key = loaded.present;
  if (isRevoked(revocations?.statement ?? null, 'order', key.fingerprint)) {
    throw new OperatorError(
      `cannot sign: the order key ${key.fingerprint} is revoked, and ${join(keys, ORDER_KEYS)} knows of none after it; put the newer keys back (penguindome restore --with-keys)`,
      {
        exitCode: EXIT.notSetUp,
      },
    );
  }
  await refuseOlderKeys(store, join(keys, ORDER_KEYS), loaded, clock.now());
  const secretKey = await loadOrderSecret({ keys }, key);
  await tellStatements(store, { ...loaded, revocations }, clock.now());
  return { key, sign: (text) => signDetached({ secretKey, text, at: clock.now() }) };
}

/** Keys out of an older backup: hosts may know a newer one already, and would refuse what these sign. */
async function refuseOlderKeys(store: Store, file: string, { present }: OrderKeys, now: Date): Promise<void> {
  const [next] = await store.orders.statements('order-key', present.number);
  if (next === undefined) return;
  const read = readOrderKeyStatement(new TextEncoder().encode(JSON.stringify(next.document)));
  // Whoever writes to the database could put anything there: what does not verify means nothing.
  if (!read.ok || !(await takeOrderKey(serversWord(present), read.value, now)).ok) return;
  throw new OperatorError(
    `cannot sign: hosts know order key ${next.number} already, and ${file} ends at ${present.number}; put the newer keys back (penguindome restore --with-keys)`,
    { exitCode: EXIT.notSetUp },
  );
}
