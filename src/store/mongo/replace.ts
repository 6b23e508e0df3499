import type { HostId } from '../../core/host.ts';
import type { Newcomer } from '../port.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import { findHost } from './hosts.ts';
import { handOverOrders } from './orders-of-host.ts';

export async function replace(
  collections: Collections,
  hostname: string,
  newcomer: Newcomer,
  at: Date,
): Promise<boolean> {
  const { host_id, key } = newcomer;
  try {
    const taken = await collections.clients.findOneAndUpdate(
      { hostname, 'identity.host_id': host_id, 'identity.keys.id': { $ne: key.id } },
      placeTaken(newcomer, at),
      { returnDocument: 'after', projection: { hands_over_at: 1, 'identity.host_id': 1 } },
    );
    if (taken !== null) {
      await handOverOrders(collections, taken);
      return true;
    }
  } catch (error) {
    // the unique index over key ids: it speaks for another host
    if (!isDuplicateKey(error)) throw error;
    return false;
  }
  const known = (await findHost(collections, hostname))?.identity;
  const own = known?.keys.find(({ id }) => id === key.id);
  return known?.host_id === host_id && own !== undefined && own.revoked_at === undefined;
}

/** A pipeline, because what becomes of the old keys depends on them: the first revocation's time stays. */
function placeTaken({ key, machine_id_digest, pattern, sequence }: Newcomer, at: Date): object[] {
  const revoked = { revoked_at: { $ifNull: ['$$key.revoked_at', at] } };
  return [
    {
      $set: {
        'identity.keys': {
          $concatArrays: [
            {
              $map: { input: '$identity.keys', as: 'key', in: { $mergeObjects: ['$$key', revoked] } },
            },
            [{ $literal: key }],
          ],
        },
        'identity.sequence': sequence,
        'identity.machine_id_digest': orRemove(machine_id_digest),
        'identity.pattern': orRemove(pattern),
        'identity.lost_at': '$$REMOVE',
        'identity.last': null,
        'identity.epoch': null,
        hands_over_at: at,
      },
    },
  ];
}

function orRemove(value: string | undefined): unknown {
  return value === undefined ? '$$REMOVE' : { $literal: value };
}

export async function clearChain({ clients }: Collections, hostname: string, id: HostId): Promise<boolean> {
  const { matchedCount } = await clients.updateOne(
    { hostname, 'identity.host_id': id },
    { $set: { 'identity.last': null, 'identity.epoch': null } },
  );
  return matchedCount > 0;
}
