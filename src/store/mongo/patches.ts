import { ObjectId } from 'mongodb';
import type { Patch, PatchRecord } from '../../core/patch.ts';
import { patchFields, patchOf, patchRecordOf, withoutContent } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

const OBJECT_ID = /^[0-9a-f]{24}$/i;

export async function pendingPatches({ patches }: Collections, hostname: string): Promise<Patch[]> {
  const documents = await patches.find({ pending_hosts: hostname }).sort({ _id: 1 }).toArray();
  return documents.map((document) => patchOf(String(document._id), plainDocument(document)));
}

export async function findPatch({ patches }: Collections, id: string): Promise<PatchRecord | undefined> {
  const document = OBJECT_ID.test(id) ? await patches.findOne({ _id: new ObjectId(id) }) : null;
  return document === null ? undefined : patchRecordOf(String(document._id), plainDocument(document));
}

export async function* listPatches(
  { patches }: Collections,
  { path, limit = 0 }: { path?: string; limit?: number },
): AsyncGenerator<PatchRecord> {
  const found = patches.find(path === undefined ? {} : { 'files.path': path }, { projection: { 'files.content': 0 } });
  for await (const document of found.sort({ _id: -1 }).limit(limit)) {
    yield withoutContent(patchRecordOf(String(document._id), plainDocument(document)));
  }
}

export async function insertPatch({ patches }: Collections, patch: PatchRecord): Promise<boolean> {
  try {
    const { pending_hosts, completed_hosts } = patch;
    await patches.insertOne({ _id: new ObjectId(patch.id), ...patchFields(patch), pending_hosts, completed_hosts });
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

/** One statement: who acknowledges meanwhile is told of as whichever came first. */
export async function cancelPatch({ patches }: Collections, id: string): Promise<string[] | undefined> {
  if (!OBJECT_ID.test(id)) return undefined;
  const before = await patches.findOneAndUpdate({ _id: new ObjectId(id) }, [
    {
      $set: {
        cancelled_hosts: { $setUnion: [{ $ifNull: ['$cancelled_hosts', []] }, '$pending_hosts'] },
        pending_hosts: [],
      },
    },
  ]);
  return before === null ? undefined : patchOf(id, plainDocument(before)).pending_hosts;
}

export async function acknowledgePatch({ patches }: Collections, id: string, hostname: string): Promise<boolean> {
  if (!OBJECT_ID.test(id)) return false;
  const _id = new ObjectId(id);
  const { matchedCount } = await patches.updateOne(
    { _id, $or: [{ pending_hosts: hostname }, { cancelled_hosts: hostname }] },
    { $pull: { pending_hosts: hostname, cancelled_hosts: hostname }, $addToSet: { completed_hosts: hostname } },
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
