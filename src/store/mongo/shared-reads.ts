import type { BSON, Document } from 'mongodb';
import { foldName, type KeyId } from '../../core/host.ts';
import { ANY_CASE, type Collections } from './collections.ts';
import { type Outcome, share } from './share.ts';

/** Reads of what every report needs, those that are asked for at once in one query. */
export interface SharedReads {
  clientByName(hostname: string): Promise<BSON.Document | null>;
  clientByKey(key: KeyId): Promise<BSON.Document | null>;
  /** host name and keys alone */
  keysByKey(key: KeyId): Promise<BSON.Document | null>;
  /** a key of this host name, in any case, was ever approved */
  everApproved(hostname: string): Promise<boolean>;
  /** names of the issues that the host has open, and of those that an operator closed and that are held: since when */
  openIssues(hostname: string): Promise<ReadonlyMap<string, 'open' | Date>>;
}

const MOST = { items: 32, bytes: Number.POSITIVE_INFINITY };
/** Where what is read is short. */
const MOST_NAMES = { items: 200, bytes: Number.POSITIVE_INFINITY };

export function shareReads({ clients, enrollments, issues }: Collections): SharedReads {
  const byKey = (projection?: Document) =>
    share(
      async (keys: KeyId[]) => {
        const found = await clients
          .find(
            { 'identity.keys.id': { $in: keys } },
            { hint: { 'identity.keys.id': 1 }, ...(projection && { projection }) },
          )
          .toArray();
        const holders = new Map(found.flatMap((document) => keyIdsIn(document).map((id) => [id, document])));
        return keys.map((key) => ({ answer: holders.get(key) ?? null }));
      },
      { most: MOST },
    );
  return {
    clientByName: share(
      async (names: string[]) => {
        const found = await clients.find({ hostname: { $in: names } }).toArray();
        const named = new Map(found.map((document) => [document['hostname'], document]));
        return names.map((name) => ({ answer: named.get(name) ?? null }));
      },
      { most: MOST },
    ),
    clientByKey: byKey(),
    keysByKey: byKey({ _id: 0, hostname: 1, 'identity.keys': 1 }),
    everApproved: share(
      async (names: string[]): Promise<Outcome<boolean>[]> => {
        const bearing = [{ hostname: { $in: names } }, { former_hostnames: { $in: names } }];
        const found = await enrollments
          .find(
            { $or: bearing, approved_at: { $exists: true } },
            { projection: { _id: 0, hostname: 1, former_hostnames: 1 }, collation: ANY_CASE },
          )
          .toArray();
        const approved = new Set(
          found.flatMap(({ hostname, former_hostnames = [] }) => [hostname, ...former_hostnames].map(foldName)),
        );
        return names.map((name) => ({ answer: approved.has(foldName(name)) }));
      },
      { most: MOST },
    ),
    openIssues: share(
      async (names: string[]): Promise<Outcome<ReadonlyMap<string, 'open' | Date>>[]> => {
        const found = await issues
          .find(
            { hostname: { $in: names }, open: true },
            { projection: { _id: 0, hostname: 1, name: 1, closed_at: 1 } },
          )
          .toArray();
        const byHost = new Map(names.map((name) => [name, new Map<string, 'open' | Date>()]));
        for (const { hostname, name, closed_at } of found) {
          byHost.get(hostname)?.set(String(name), closed_at instanceof Date ? closed_at : 'open');
        }
        return names.map((name) => ({ answer: byHost.get(name) ?? new Map() }));
      },
      { most: MOST_NAMES },
    ),
  };
}

function keyIdsIn(document: BSON.Document): unknown[] {
  const keys: unknown = document['identity']?.keys;
  return Array.isArray(keys) ? keys.map(({ id }) => id) : [];
}
