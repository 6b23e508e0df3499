import { createHash } from 'node:crypto';
import type { Store } from '../store/port.ts';
import { LARGEST_PIECE } from '../wire/v2/order-messages.ts';

/** A file of an order, whole; undefined where the store does not hold all of it, or something else. */
export async function readStoredFile(
  { orders }: Pick<Store, 'orders'>,
  { sha256, size }: { sha256: string; size: number },
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  do {
    const piece = await orders.readFile(sha256, offset, LARGEST_PIECE);
    if (piece === undefined || (piece.length === 0 && offset < size)) return undefined;
    pieces.push(piece);
    offset += piece.length;
  } while (offset < size);
  const content = Buffer.concat(pieces);
  return createHash('sha256').update(content).digest('hex') === sha256 ? content : undefined;
}
