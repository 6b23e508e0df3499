import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

/** An expired one is taken over; one that has not expired is in the way of the insert. */
export async function rememberSignature(
  { signatures }: Collections,
  id: string,
  expires_at: Date,
  now: Date,
): Promise<boolean> {
  try {
    await signatures.updateOne({ _id: id, expires_at: { $lte: now } }, { $set: { expires_at } }, { upsert: true });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export async function knowsSignature({ signatures }: Collections, id: string, now: Date): Promise<boolean> {
  return (await signatures.countDocuments({ _id: id, expires_at: { $gt: now } }, { limit: 1 })) > 0;
}

export async function expireSignatures({ signatures }: Collections, at: Date): Promise<void> {
  await signatures.deleteMany({ expires_at: { $lte: at } });
}
