import type { Collections } from './collections.ts';
import { insertAll } from './insert-all.ts';
import { type Outcome, share } from './share.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

interface Asked {
  id: string;
  expires_at: Date;
  now: Date;
}

const MOST = { items: 64, bytes: Number.POSITIVE_INFINITY };
const ON_DISK = { w: 'majority' as const, j: true, wtimeout: OPERATION_TIMEOUT };

/** Remembers together what is asked for at once. The unique `_id` is the guard; one that has expired is taken over. */
export function rememberSignatures(collections: Collections): (asked: Asked) => Promise<boolean> {
  const { signatures } = collections;
  const takeOver = async ({ id, expires_at, now }: Asked) =>
    (await signatures.updateOne({ _id: id, expires_at: { $lte: now } }, { $set: { expires_at } })).matchedCount > 0;
  return share(
    async (asked: Asked[]): Promise<Outcome<boolean>[]> => {
      const documents = asked.map(({ id, expires_at }) => ({ _id: id, expires_at }));
      const there = await insertAll(collections, signatures, documents, ON_DISK);
      return Promise.all(asked.map(async (each, index) => ({ answer: !there.has(index) || (await takeOver(each)) })));
    },
    { most: MOST, batches: { most: 2, worth: 4 } },
  );
}

export async function knowsSignature({ signatures }: Collections, id: string, now: Date): Promise<boolean> {
  return (await signatures.countDocuments({ _id: id, expires_at: { $gt: now } }, { limit: 1 })) > 0;
}

export async function expireSignatures({ signatures }: Collections, at: Date): Promise<void> {
  await signatures.deleteMany({ expires_at: { $lte: at } });
}
