import { ObjectId } from 'mongodb';
import type { Patch } from '../../core/patch.ts';
import { patchOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';

const OBJECT_ID = /^[0-9a-f]{24}$/i;

export async function pendingPatches({ patches }: Collections, hostname: string): Promise<Patch[]> {
  const documents = await patches.find({ pending_hosts: hostname }).sort({ _id: 1 }).toArray();
  return documents.map((document) => patchOf(String(document._id), plainDocument(document)));
}

export async function acknowledgePatch({ patches }: Collections, id: string, hostname: string): Promise<boolean> {
  if (!OBJECT_ID.test(id)) return false;
  const _id = new ObjectId(id);
  const { matchedCount } = await patches.updateOne(
    { _id, pending_hosts: hostname },
    { $pull: { pending_hosts: hostname }, $addToSet: { completed_hosts: hostname } },
  );
  return matchedCount > 0 || (await patches.countDocuments({ _id }, { limit: 1 })) > 0;
}

/** Of a host that is let in meanwhile nothing is pending yet: a patch is made for hosts that are there. */
export async function pendingHosts({ patches, clients }: Collections): Promise<string[]> {
  const pending = (await patches.distinct('pending_hosts')).filter((name) => typeof name === 'string');
  if (pending.length === 0) return [];
  const known = new Set(await clients.distinct('hostname', { hostname: { $in: pending } }));
  const gone = pending.filter((name) => !known.has(name));
  if (gone.length > 0) {
    await patches.updateMany({ pending_hosts: { $in: gone } }, { $pull: { pending_hosts: { $in: gone } } });
  }
  return pending.filter((name) => known.has(name)).sort();
}
