import type { Collections } from './collections.ts';
import { assertConfirmed, writeErrors } from './insert-all.ts';
import { type Outcome, share } from './share.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

interface Asked {
  hostname: string;
  evaluated_at: Date;
}

const MOST = { items: 64, bytes: Number.POSITIVE_INFINITY };

/** Marks checks as carried over, those that are asked for at once in one command. */
export function shareSettles(collections: Collections): (asked: Asked) => Promise<boolean> {
  return share(
    async (asked: Asked[]): Promise<Outcome<boolean>[]> => {
      if (await settleAll(collections, asked)) return asked.map(() => ({ answer: true }));
      // The reply only counts. To settle again what is settled does no harm.
      return Promise.all(asked.map(async (each) => ({ answer: await settleAll(collections, [each]) })));
    },
    { most: MOST, batches: 2 },
  );
}

/** @returns whether the guards of all held */
async function settleAll({ db, clients }: Collections, asked: Asked[]): Promise<boolean> {
  const reply = await db.command({
    update: clients.collectionName,
    updates: asked.map(({ hostname, evaluated_at }) => ({
      q: { hostname, 'checks.evaluated_at': evaluated_at },
      u: { $set: { settled: true } },
    })),
    ordered: false,
    writeConcern: { w: 'majority', j: true, wtimeout: OPERATION_TIMEOUT },
  });
  for (const error of writeErrors(reply).values()) throw error;
  assertConfirmed(reply);
  return Number(reply['n']) === asked.length;
}
