import { BSON } from 'mongodb';
import type { Judgement } from '../../core/check.ts';
import type { Identity, KeyId } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import { identityFields } from '../host-document.ts';
import { judgementFields } from '../judgement-fields.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';
import { findHost, namesakes } from './hosts.ts';
import { moveTrailOf, NOTHING_WAITS } from './move-trail.ts';
import { endOrders } from './orders-of-host.ts';
import { forgetParameters } from './parameters.ts';
import type { Statement } from './shared-writes.ts';
import { confirmTrailOf } from './staged-trail.ts';

export async function attach(
  collections: Collections,
  hostname: string,
  identity: Identity,
  options: { adopt: boolean },
): Promise<boolean> {
  const document = escapeFields(identityFields(identity));
  const [host, another] = await namesakes(collections, hostname);
  if (host?.host_id !== undefined) return isSame((await findHost(collections, host.hostname))?.identity, identity);
  if (another !== undefined || (host !== undefined && !options.adopt)) return false;
  try {
    if (options.adopt) {
      await collections.clients.updateOne(
        { hostname: host?.hostname ?? hostname, identity: { $exists: false } },
        { $set: { identity: document } },
        { upsert: true },
      );
    } else {
      await collections.clients.insertOne({ hostname, identity: document });
    }
    return true;
  } catch (error) {
    // the unique indexes are the guard: of the name, the host id and the keys
    if (!isDuplicateKey(error)) throw error;
    const [holder] = await namesakes(collections, hostname);
    return holder !== undefined && isSame((await findHost(collections, holder.hostname))?.identity, identity);
  }
}

/** Attaching again after a crash is no conflict. */
function isSame(known: Identity | undefined, identity: Identity): boolean {
  return (
    known?.host_id === identity.host_id && identity.keys.every(({ id }) => known.keys.some((key) => key.id === id))
  );
}

export async function markLost({ clients }: Collections, hostname: string, since: Date | undefined): Promise<boolean> {
  const change =
    since === undefined
      ? { $unset: { 'identity.lost_at': '' } }
      : [{ $set: { 'identity.lost_at': { $ifNull: ['$identity.lost_at', since] } } }];
  return (await clients.updateOne({ hostname, identity: { $exists: true } }, change)).matchedCount > 0;
}

/** The first revocation's time stays. */
export async function revokeKey({ clients }: Collections, key: KeyId, at: Date): Promise<boolean> {
  const { matchedCount } = await clients.updateOne(
    { 'identity.keys.id': key },
    { $set: { 'identity.keys.$[key].revoked_at': at } },
    { arrayFilters: [{ 'key.id': key, 'key.revoked_at': null }] },
  );
  return matchedCount > 0;
}

export async function saveJudgement(
  write: (statement: Statement) => Promise<boolean>,
  hostname: string,
  submitted_at: Date | undefined,
  checks: Judgement,
): Promise<boolean> {
  const change = { checks: escapeFields(judgementFields(checks)), settled: false };
  return write({
    filter: { hostname, submitted_at: submitted_at ?? null },
    update: { $set: change },
    repeatable: true,
    bytes: BSON.calculateObjectSize(change),
  });
}

export async function suspend({ clients }: Collections, hostname: string, suspended: boolean): Promise<boolean> {
  const update = suspended ? { $set: { suspended: true } } : { $unset: { suspended: '' } };
  return (await clients.updateOne({ hostname }, update)).matchedCount > 0;
}

/** The host goes last: whoever was cut off, and tries again, still finds it. */
export async function forget(collections: Collections, hostname: string, at: Date): Promise<boolean> {
  const { clients, patches, issues, outbox } = collections;
  const isThere = async () => (await clients.countDocuments({ hostname }, { limit: 1 })) > 0;
  if (!(await isThere())) return false;
  await patches.updateMany({ pending_hosts: hostname }, { $pull: { pending_hosts: hostname } });
  await outbox.deleteMany({ hostname, delivered_at: null });
  await forgetParameters(collections, hostname, at);
  const host_id = (await findHost(collections, hostname))?.identity?.host_id;
  if (host_id !== undefined) await endOrders(collections, host_id, at);
  await issues.updateMany({ hostname, closed_at: null }, { $set: { closed_at: at }, $unset: { open: '' } });
  await confirmTrailOf(collections, hostname);
  for (;;) {
    await moveTrailOf(collections, hostname);
    if ((await clients.deleteOne({ hostname, ...NOTHING_WAITS })).deletedCount > 0) return true;
    // a report came in between, or somebody else removed it
    if (!(await isThere())) return false;
  }
}
