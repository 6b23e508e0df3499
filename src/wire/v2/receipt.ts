/** The chain of a host's receipts: each names the hash of the one before it. */
import type { Receipt, ReceiptsHead } from '../../core/order.ts';
import { bodyDigest } from './digest.ts';

export const NO_RECEIPTS: ReceiptsHead = { number: 0, hash: '0'.repeat(64) };

/** Lower-case hex SHA-256 of the canonical JSON of all but `hash`. */
export function receiptHash({ hash: _, ...content }: Receipt | (Omit<Receipt, 'hash'> & { hash?: string })): string {
  return bodyDigest(content);
}

/** @returns the chain's new end; undefined where these do not follow that head one by one */
export function followReceipts(head: ReceiptsHead, receipts: readonly Receipt[]): ReceiptsHead | undefined {
  let end = head;
  for (const receipt of receipts) {
    const fits =
      receipt.number === end.number + 1 && receipt.previous === end.hash && receipt.hash === receiptHash(receipt);
    if (!fits) return undefined;
    end = { number: receipt.number, hash: receipt.hash };
  }
  return end;
}
