import type { Document, Filter } from 'mongodb';
import type { Enrollment } from '../../core/enrollment.ts';
import { keyFields } from '../host-document.ts';
import type { Rotation } from '../port.ts';
import type { Collections } from './collections.ts';
import { findEnrollment, insertEnrollment, revokeEnrollment } from './enrollments.ts';
import { isDuplicateKey } from './errors.ts';

/**
 * The record of the key comes first, because its unique index is a guard; the host's own write then decides. Cut off between the two,
 * the record is there for a key that speaks for nobody, until the same rotation is asked for again.
 */
export async function rotate(collections: Collections, rotation: Rotation, at: Date): Promise<boolean> {
  const { clients } = collections;
  const { enrollment } = rotation;
  const guard = guardOf(rotation);
  if ((await clients.countDocuments(guard, { limit: 1 })) === 0) return false;
  if (!(await insertEnrollment(collections, enrollment)) && !(await isRecorded(collections, enrollment))) return false;
  if (await giveKey(collections, guard, rotation, at)) return true;
  const { key_id } = enrollment;
  // Nobody else's twin of this request may have been quicker: else the record is of no key.
  if ((await clients.countDocuments({ 'identity.keys.id': key_id }, { limit: 1 })) === 0) {
    await revokeEnrollment(collections, key_id, at, 'its host changed before it was added');
  }
  return false;
}

function guardOf({ host_id, enrollment, none_since }: Rotation): Filter<Document> {
  const { key_id, replaces } = enrollment;
  return {
    'identity.keys.id': replaces,
    'identity.host_id': host_id,
    'identity.lost_at': null,
    $and: [
      { 'identity.keys': { $elemMatch: { id: replaces, revoked_at: null, ends_at: null } } },
      { 'identity.keys': { $not: { $elemMatch: { replaces: { $exists: true }, added_at: { $gt: none_since } } } } },
      { 'identity.keys.id': { $ne: key_id } },
    ],
  };
}

async function giveKey(
  { clients }: Collections,
  guard: Filter<Document>,
  rotation: Rotation,
  at: Date,
): Promise<boolean> {
  try {
    return (await clients.updateOne(guard, keyAdded(rotation, at))).matchedCount > 0;
  } catch (error) {
    // the unique index over key ids: it speaks for another host
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** A pipeline, because what becomes of each key depends on it: a revoked one stays as it is, and no end moves away. */
function keyAdded({ enrollment, ends_at }: Rotation, at: Date): object[] {
  const { key_id: id, public_key, replaces } = enrollment;
  const ended = { $mergeObjects: ['$$key', { ends_at: { $min: ['$$key.ends_at', at] } }] };
  const older = { $cond: [{ $gt: ['$$key.revoked_at', null] }, '$$key', ended] };
  const vouching = { $mergeObjects: ['$$key', { ends_at }] };
  const each = { $cond: [{ $eq: ['$$key.id', { $literal: replaces }] }, vouching, older] };
  const known = { $map: { input: '$identity.keys', as: 'key', in: each } };
  const added = { $literal: keyFields({ id, public_key, added_at: at, replaces }) };
  return [{ $set: { 'identity.keys': { $concatArrays: [known, [added]] } } }];
}

/** Whether an attempt that was cut off has left the record of this very rotation. */
async function isRecorded(collections: Collections, { key_id, host_id, replaces }: Enrollment): Promise<boolean> {
  const known = await findEnrollment(collections, key_id);
  return known?.status === 'approved' && known.host_id === host_id && known.replaces === replaces;
}
