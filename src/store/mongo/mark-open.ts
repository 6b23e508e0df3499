import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * `open: true` marks the one open episode of each problem (a unique index holds it to one), the oldest.
 * An original database has no such field, and may hold duplicates: those stay as they are, and are closed with it.
 */
export async function markOpen({ issues }: Collections): Promise<void> {
  const oldest = issues.aggregate(
    [
      { $match: { closed_at: null } },
      { $sort: { opened_at: 1, _id: 1 } },
      { $group: { _id: { hostname: '$hostname', name: '$name' }, oldest: { $first: '$_id' } } },
    ],
    { allowDiskUse: true },
  );
  for await (const { oldest: _id } of oldest) {
    try {
      await issues.updateOne({ _id, closed_at: null }, { $set: { open: true } });
    } catch (error) {
      // another episode was marked meanwhile, or opened
      if (!isDuplicateKey(error)) throw error;
    }
  }
}
