import type { Enrollment } from '../core/enrollment.ts';
import { foldName, type HostId, type KeyId } from '../core/host.ts';
import { type Fields, getField, isFields, type Value } from '../core/value.ts';
import { escapeFields } from '../store/escape.ts';
import { keyFields } from '../store/host-document.ts';
import type { StoredDocument } from '../store/port.ts';
import { enrollmentFields } from '../store/records.ts';
import type { KnownIdentities } from './known-identities.ts';

export interface Merged {
  documents: number;
  /** keys that the backup did not know, and that wait for approval now */
  pending: Enrollment[];
  /** keys of the backup that were revoked since */
  revoked: number;
}

/**
 * The backup's documents as they are to be restored:
 * - its tokens are void: how often they were used since, nobody knows;
 * - keys that were revoked since stay revoked, and no sequence number goes back;
 * - a key that took over since from one that its host has in the backup is its host's: that one vouched for it;
 * - a host that was marked as lost since stays so, and one that was found too;
 * - keys that enrolled since come as enrolments that wait: an operator looks at them before they report again.
 *   Where another key took over from such a one, that one waits in its place.
 */
export async function* mergeIdentities(
  documents: AsyncIterable<StoredDocument>,
  known: KnownIdentities,
  at: Date,
  merged: Merged,
): AsyncGenerator<StoredDocument> {
  const seen: Seen = { ofHosts: new Set(), recorded: new Set(), names: new Map() };
  const successors = new Map([...known.rotated.values()].map(({ replaces, key_id }) => [replaces, key_id]));
  const rotatedOf = byHost(known);
  for await (const { collection, document } of documents) {
    merged.documents++;
    if (collection === 'clients') {
      const identity = getField(document, 'identity');
      const hostname = getField(document, 'hostname');
      const name = typeof hostname === 'string' ? foldName(hostname) : '';
      if (seen.names.get(name) !== 'v2') seen.names.set(name, isFields(identity) ? 'v2' : 'v1');
      yield { collection, document: mergeHost(document, { known, rotatedOf, seen, merged }) };
    } else if (collection === 'enrollments') {
      seen.recorded.add(getField(document, 'key_id') ?? '');
      yield { collection, document: supersede(mergeEnrollment(document, known), { known, successors, seen }) };
    } else if (collection === 'tokens') {
      yield { collection, document: { revoked_at: at, ...document } };
    } else yield { collection, document };
  }
  for (const enrollment of [...known.enrollments.values(), ...known.rotated.values()]) {
    const { key_id } = enrollment;
    if (seen.recorded.has(key_id) || (seen.ofHosts.has(key_id) && enrollment.replaces === undefined)) continue;
    const { conflict: _, ...rest } = enrollment;
    const conflict = seen.names.get(foldName(enrollment.hostname));
    const status = seen.ofHosts.has(key_id) ? 'approved' : 'pending';
    const restored: Enrollment = { ...rest, status, ...(status === 'approved' || !conflict ? {} : { conflict }) };
    const found = mergeEnrollment(escapeFields(enrollmentFields(restored)), known);
    const document = supersede(found, { known, successors, seen });
    if (document['status'] === 'pending') merged.pending.push(restored);
    yield { collection: 'enrollments', document };
  }
}

/** What the backup has held so far. */
interface Seen {
  /** keys of hosts, those included that took over since */
  ofHosts: Set<Value>;
  /** keys with a record among the enrolments */
  recorded: Set<Value>;
  /** in lower case */
  names: Map<string, 'v1' | 'v2'>;
}

type Rotated = Enrollment & { replaces: KeyId };

function byHost({ rotated }: KnownIdentities): Map<Value, Rotated[]> {
  const hosts = new Map<Value, Rotated[]>();
  for (const each of rotated.values()) hosts.set(each.host_id, [...(hosts.get(each.host_id) ?? []), each]);
  return hosts;
}

interface Merging {
  known: KnownIdentities;
  rotatedOf: ReadonlyMap<Value, Rotated[]>;
  seen: Seen;
  merged: Merged;
}

function mergeHost(document: Fields, { known, rotatedOf, seen, merged }: Merging): Fields {
  const { identity } = document;
  if (!isFields(identity) || !Array.isArray(identity['keys'])) return document;
  const { sequence } = identity;
  const numbers = [typeof sequence === 'number' ? sequence : 0];
  const held = withSuccessors(identity['keys'], rotatedOf.get(getField(identity, 'host_id') ?? '') ?? []);
  const keys = held.map((key) => {
    const id = isFields(key) ? keyIdOf(key, 'id') : undefined;
    if (!isFields(key) || id === undefined) return key;
    seen.ofHosts.add(id);
    numbers.push(known.sequences.get(id) ?? 0);
    const ended = mergeEnd(key, known.ends.get(id));
    const revoked = known.revoked.get(id);
    if (revoked === undefined || key['revoked_at'] !== undefined) return ended;
    merged.revoked++;
    return { ...ended, revoked_at: revoked.at };
  });
  const restored = { ...identity, keys, sequence: Math.max(...numbers) };
  return { ...document, identity: mergeLost(restored, known) };
}

function withSuccessors(keys: Value[], rotated: readonly Rotated[]): Value[] {
  const ids = new Set(keys.map((key) => (isFields(key) ? keyIdOf(key, 'id') : undefined)));
  const successors: Value[] = [];
  for (const { key_id, public_key, enrolled_at, replaces } of rotated) {
    if (ids.has(key_id) || !ids.has(replaces)) continue;
    ids.add(key_id);
    successors.push(keyFields({ id: key_id, public_key, added_at: enrolled_at, replaces }));
  }
  return [...keys, ...successors];
}

function mergeEnd(key: Fields, end: Date | undefined): Fields {
  const { ends_at } = key;
  if (end === undefined || (ends_at instanceof Date && ends_at <= end)) return key;
  return { ...key, ends_at: end };
}

/** Of a key and the one that took over from it, only that one waits. */
function supersede(
  document: Fields,
  { known, successors, seen }: { known: KnownIdentities; successors: ReadonlyMap<KeyId, KeyId>; seen: Seen },
): Fields {
  const id = keyIdOf(document, 'key_id');
  const successor = id === undefined ? undefined : successors.get(id);
  if (id === undefined || successor === undefined || seen.ofHosts.has(id) || document['status'] !== 'pending') {
    return document;
  }
  const revoked_at = known.ends.get(id) ?? known.rotated.get(successor)?.enrolled_at ?? null;
  return { ...document, status: 'revoked', revoked_at, revoked_why: `${successor} took over` };
}

function mergeLost(identity: Fields, { lost }: KnownIdentities): Fields {
  const id = getField(identity, 'host_id');
  if (typeof id !== 'string' || !lost.has(id as HostId)) return identity;
  const { lost_at: _, ...rest } = identity;
  const since = lost.get(id as HostId);
  return since === undefined ? rest : { ...rest, lost_at: since };
}

function mergeEnrollment(document: Fields, known: KnownIdentities): Fields {
  const id = keyIdOf(document, 'key_id');
  if (id === undefined) return document;
  const { sequence, status } = document;
  const approved = known.approved.get(id);
  const revoked = status === 'revoked' ? undefined : known.revoked.get(id);
  return {
    // An approval since the backup does not let it in, but keeps v1 from speaking for its host.
    ...(approved === undefined ? {} : { approved_at: approved }),
    ...document,
    ...(status === 'pending'
      ? { sequence: Math.max(typeof sequence === 'number' ? sequence : 0, known.sequences.get(id) ?? 0) }
      : {}),
    ...(revoked === undefined
      ? {}
      : {
          status: 'revoked',
          revoked_at: revoked.at,
          ...(revoked.why === undefined ? {} : { revoked_why: revoked.why }),
        }),
  };
}

function keyIdOf(fields: Fields, name: string): KeyId | undefined {
  const id = getField(fields, name);
  return typeof id === 'string' ? (id as KeyId) : undefined;
}
