import type { BSON } from 'mongodb';
import type { Host, HostId, Identity } from '../../core/host.ts';
import { withIdentity } from '../host-document.ts';
import type { Renaming } from '../port.ts';
import type { Collections } from './collections.ts';
import { everApproved } from './enrollments.ts';
import { isDuplicateKey } from './errors.ts';
import { namesakes, readHost } from './hosts.ts';
import { moveTrailOf, NOTHING_WAITS } from './move-trail.ts';
import { renameParameters } from './parameters.ts';
import { confirmTrailOf } from './staged-trail.ts';

/**
 * What bears a host's name lies in many collections. So the host is renamed first, in one guarded statement that also keeps the former
 * name as `renamed_from`; the rest follows, and then that mark goes. A host that bears the mark takes no report (reports.ts): whoever
 * finds it so finishes what a crash cut short (findSpeaker), as often as it takes.
 *
 * No trail waits in the document when it gets its new name (trail.ts): whoever still moves some of it under the former name then finds
 * that it is in `audit_trail` already.
 */
export async function rename(
  collections: Collections,
  { id, from, to }: Renaming,
  at: Date,
): Promise<'renamed' | 'taken' | 'changed'> {
  const { clients } = collections;
  if ((await namesakes(collections, to)).some(({ host_id }) => host_id !== id)) return 'taken';
  if (await everApproved(collections, to, id)) return 'taken';
  try {
    await moveTrailOf(collections, from);
    const { matchedCount } = await clients.updateOne(
      { hostname: from, 'identity.host_id': id, renamed_from: null, ...NOTHING_WAITS },
      { $set: { hostname: to, renamed_from: { hostname: from, at } }, $unset: { 'identity.claimed_hostname': '' } },
    );
    if (matchedCount === 0) return 'changed';
  } catch (error) {
    if (isDuplicateKey(error)) return 'taken';
    throw error;
  }
  await finish(collections, { id, from, to }, at);
  return 'renamed';
}

/** The host of a key, its renaming finished where one was cut short. */
export async function findSpeaker(
  collections: Collections,
  document: BSON.Document | null,
): Promise<(Host & { identity: Identity }) | undefined> {
  const host = withIdentity(readHost(document));
  const mark: unknown = document?.['renamed_from'];
  if (host !== undefined && typeof mark === 'object' && mark !== null) {
    const from: unknown = Reflect.get(mark, 'hostname');
    const at: unknown = Reflect.get(mark, 'at');
    if (typeof from === 'string' && at instanceof Date) {
      await finish(collections, { id: host.identity.host_id, from, to: host.hostname }, at);
    }
  }
  return host;
}

export async function claim(
  { clients }: Collections,
  { id, hostname }: { id: HostId; hostname: string },
  claimed_hostname: string | null,
): Promise<boolean> {
  const change =
    claimed_hostname === null
      ? { $unset: { 'identity.claimed_hostname': '' } }
      : { $set: { 'identity.claimed_hostname': claimed_hostname } };
  return (await clients.updateOne({ hostname, 'identity.host_id': id }, change)).matchedCount > 0;
}

/** Each step is harmless when repeated. The mark goes last. */
async function finish(collections: Collections, renaming: Renaming, at: Date): Promise<void> {
  const { clients, order_targets, outbox, trail } = collections;
  const { id, from, to } = renaming;
  const change = { $set: { hostname: to } };
  await keepFormerName(collections, renaming);
  await renameIssues(collections, renaming, at);
  await renamePatches(collections, renaming);
  await renameParameters(collections, from, to, at);
  await order_targets.updateMany({ host_id: id }, change);
  await outbox.updateMany({ hostname: from, delivered_at: null }, change);
  await trail.updateMany({ hostname: from }, change);
  // What was not confirmed yet is found by the host's name: by the new one, from here on.
  await confirmTrailOf(collections, to);
  await clients.updateOne({ 'identity.host_id': id, 'renamed_from.hostname': from }, { $unset: { renamed_from: '' } });
}

/** A name that comes back is no former one any more. */
async function keepFormerName({ enrollments }: Collections, { id, from, to }: Renaming): Promise<void> {
  const known = { $ifNull: ['$former_hostnames', []] };
  const former_hostnames = {
    $setUnion: [{ $setDifference: [known, [{ $literal: to }]] }, [{ $literal: from }]],
  };
  await enrollments.updateMany({ host_id: id, approved_at: { $exists: true } }, [
    { $set: { hostname: { $literal: to }, former_hostnames } },
  ]);
}

/** Of a problem that is open under both names, the former one's episode ends: only one may be open. */
async function renameIssues({ issues }: Collections, { from, to }: Renaming, at: Date): Promise<void> {
  // One that is held has the place of an open one in the unique index: what is held under the new name is of a host that is gone.
  const places = await issues.distinct('name', { hostname: from, open: true });
  await issues.updateMany({ hostname: to, held: true, name: { $in: places } }, { $unset: { open: '', held: '' } });
  const both = await issues.distinct('name', { hostname: to, closed_at: null });
  await issues.updateMany({ hostname: from, held: true, name: { $in: both } }, { $unset: { open: '', held: '' } });
  await issues.updateMany(
    { hostname: from, closed_at: null, name: { $in: both } },
    { $set: { closed_at: at }, $unset: { open: '' } },
  );
  await issues.updateMany({ hostname: from }, { $set: { hostname: to } });
}

async function renamePatches({ patches }: Collections, { from, to }: Renaming): Promise<void> {
  for (const field of ['pending_hosts', 'completed_hosts'] as const) {
    await patches.updateMany({ [field]: from }, { $addToSet: { [field]: to } });
    await patches.updateMany({ [field]: from }, { $pull: { [field]: from } });
  }
}
