import type { Document, Filter } from 'mongodb';
import { type Host, type HostId, type Identity, isSameName, type KeyId } from '../../core/host.ts';
import { hostOf, withIdentity } from '../host-document.ts';
import type { HeldKey, HostFilter, Namesake } from '../port.ts';
import { plainDocument } from './bson.ts';
import { ANY_CASE, type Collections } from './collections.ts';
import type { SharedReads } from './shared-reads.ts';

/** Fields of a client's document that are the store's own (trail.ts, staged-trail.ts, rename.ts, orders-of-host.ts), or nobody's business. */
export const OWN_FIELDS: ReadonlySet<string> = new Set([
  '_id',
  'trail_mark',
  'trail_waiting',
  'renamed_from',
  'hands_over_at',
]);

export async function findHost({ clients }: Collections, hostname: string): Promise<Host | undefined> {
  return readHost(await clients.findOne({ hostname }));
}

export async function namesakes({ clients }: Collections, hostname: string): Promise<Namesake[]> {
  const projection = { _id: 0, hostname: 1, 'identity.host_id': 1 };
  const found = (await clients.find({ hostname }, { projection, collation: ANY_CASE }).toArray()).flatMap(readHostName);
  const rank = ({ host_id }: Namesake) => (host_id === undefined ? 1 : 0);
  return found
    .filter((each) => isSameName(each.hostname, hostname))
    .sort((a, b) => rank(a) - rank(b) || (a.hostname < b.hostname ? -1 : 1));
}

function readHostName({ hostname, identity }: Document): Namesake[] {
  if (typeof hostname !== 'string') return [];
  const id: unknown = identity?.host_id;
  return [{ hostname, ...(typeof id === 'string' && { host_id: id as HostId }) }];
}

export async function findHostById({ clients }: Collections, id: HostId): Promise<Host | undefined> {
  return readHost(await clients.findOne({ 'identity.host_id': id }));
}

export async function findHostByKey(
  { clients }: Collections,
  key: KeyId,
): Promise<(Host & { identity: Identity }) | undefined> {
  return withIdentity(readHost(await clients.findOne({ 'identity.keys.id': key })));
}

export async function findKey(
  { keysByKey }: SharedReads,
  key: KeyId,
): Promise<{ public_key: string; hostname: string } | undefined> {
  const found = await keysByKey(key);
  const held = found?.['identity'].keys.find(({ id }: { id: unknown }) => id === key);
  return held === undefined ? undefined : { public_key: held.public_key, hostname: found?.['hostname'] };
}

export async function* eachKey({ clients }: Collections): AsyncGenerator<HeldKey> {
  const projection = { _id: 0, hostname: 1, 'identity.keys': 1 };
  for await (const { hostname, identity } of clients.find({ 'identity.keys.id': { $exists: true } }, { projection })) {
    for (const { id, public_key } of identity.keys) yield { key_id: id, public_key, hostname };
  }
}

/** Documents in memory at once while the fleet goes by: a round trip costs less than holding many. */
const BATCH = 50;

export async function* listHosts({ clients }: Collections, filter: HostFilter): AsyncGenerator<Host> {
  const cursor = clients.find(condition(filter), { batchSize: BATCH }).sort({ hostname: 1 });
  for await (const document of cursor) {
    const host = readHost(document);
    if (host !== undefined) yield host;
  }
}

export function readHost(document: object | null): Host | undefined {
  if (document === null) return undefined;
  return hostOf(plainDocument(document, OWN_FIELDS));
}

export function condition(filter: HostFilter): Filter<Document> {
  return {
    ...(filter.hostnames && { hostname: { $in: filter.hostnames } }),
    ...(filter.judged_otherwise && { 'checks.version': { $ne: filter.judged_otherwise } }),
    ...(filter.unsettled && { settled: false }),
    ...(filter.deadline_by && { 'checks.deadline_at': { $lte: filter.deadline_by } }),
    ...(filter.silent_since && { $or: [{ submitted_at: { $lt: filter.silent_since } }, { submitted_at: null }] }),
  };
}
