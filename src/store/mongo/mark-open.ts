import type { ObjectId } from 'mongodb';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * `open: true` marks the one open episode of each problem (a unique index holds it to one), the oldest.
 * An original database has no such field, and may hold duplicates: those stay as they are, and are closed with it.
 * What an operator closed, and is held, keeps the mark: by that no other episode opens.
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
  for await (const { oldest: _id } of oldest) await mark({ issues }, _id, { closed_at: null });
  for await (const { _id } of issues.find({ held: true, open: { $ne: true } }, { projection: { _id: 1 } })) {
    await mark({ issues }, _id, { held: true });
  }
}

async function mark({ issues }: Pick<Collections, 'issues'>, _id: ObjectId, guard: object): Promise<void> {
  try {
    await issues.updateOne({ _id, ...guard }, { $set: { open: true } });
  } catch (error) {
    // another episode was marked meanwhile, or opened
    if (!isDuplicateKey(error)) throw error;
  }
}
