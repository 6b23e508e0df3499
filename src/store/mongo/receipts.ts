import type { HostId } from '../../core/host.ts';
import type { ReceiptsHead } from '../../core/order.ts';
import { NO_RECEIPTS } from '../../wire/v2/receipt.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

export async function findReceipts(
  { receipts }: Collections,
  host_id: HostId,
): Promise<(ReceiptsHead & { broken_at?: Date }) | undefined> {
  const found = await receipts.findOne({ _id: host_id });
  if (found === null) return undefined;
  const { number, hash, broken_at } = found;
  if (typeof number !== 'number' || typeof hash !== 'string') return undefined;
  return { number, hash, ...(broken_at instanceof Date && { broken_at }) };
}

export async function moveReceipts(
  collections: Collections,
  host_id: HostId,
  from: ReceiptsHead | null,
  { number, hash }: ReceiptsHead,
): Promise<boolean> {
  if (from === null) await startChain(collections, host_id);
  const guard = from ?? NO_RECEIPTS;
  const { matchedCount } = await collections.receipts.updateOne(
    { _id: host_id, number: guard.number, hash: guard.hash },
    { $set: { number, hash } },
  );
  return matchedCount > 0;
}

export async function breakReceipts(collections: Collections, host_id: HostId, at: Date | null): Promise<void> {
  if (at !== null) await startChain(collections, host_id);
  const change = at === null ? { $unset: { broken_at: '' } } : { $min: { broken_at: at } };
  await collections.receipts.updateOne({ _id: host_id }, change);
}

async function startChain({ receipts }: Collections, host_id: HostId): Promise<void> {
  try {
    await receipts.updateOne({ _id: host_id }, { $setOnInsert: { ...NO_RECEIPTS } }, { upsert: true });
  } catch (error) {
    // two upserts at once: the document is there now
    if (!isDuplicateKey(error)) throw error;
  }
}
