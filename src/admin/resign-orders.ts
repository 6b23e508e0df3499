import { verifyOrder } from '../crypto/order-signatures.ts';
import { type OrderKey, serversWord } from '../crypto/order-trust.ts';
import type { AdminContext } from './context.ts';
import { openOrderSigner } from './order-signer.ts';
import { isOpen } from './orders-list.ts';

/**
 * Signs with the present order key what is under way and was signed by one before it: hosts refuse it once that one is revoked.
 * What none of these keys signed stays as it is. Harmless when repeated. @returns the orders' ids
 */
export async function resignOrders(context: AdminContext, before: readonly OrderKey[]): Promise<string[]> {
  const { clock } = context;
  const { orders } = await context.store();
  const signer = await openOrderSigner(context);
  const now = clock.now();
  const isBy = async (order: OrderKey, manifest: string, signatures: readonly string[]) => {
    return (await verifyOrder(manifest, signatures, serversWord(order), now)).server;
  };
  const open: { id: string; manifest: string; signatures: string[] }[] = [];
  for await (const order of orders.list()) if (isOpen(order, now)) open.push(order);
  const signed: string[] = [];
  for (const { id, manifest, signatures } of open) {
    if (await isBy(signer.key, manifest, signatures)) continue;
    const known = await Promise.all(before.map((key) => isBy(key, manifest, signatures)));
    if (!known.includes(true)) continue;
    if (await orders.addSignature(id, await signer.sign(manifest), now)) signed.push(id);
  }
  return signed;
}
