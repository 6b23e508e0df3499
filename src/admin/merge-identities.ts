import type { Enrollment } from '../core/enrollment.ts';
import type { HostId, KeyId } from '../core/host.ts';
import { type Fields, getField, isFields, type Value } from '../core/value.ts';
import { escapeFields } from '../store/escape.ts';
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
 * - a host that was marked as lost since stays so, and one that was found too;
 * - keys that enrolled since come as enrolments that wait: an operator looks at them before they report again.
 */
export async function* mergeIdentities(
  documents: AsyncIterable<StoredDocument>,
  known: KnownIdentities,
  at: Date,
  merged: Merged,
): AsyncGenerator<StoredDocument> {
  const keys = new Set<Value>();
  const names = new Map<Value, 'v1' | 'v2'>();
  for await (const { collection, document } of documents) {
    merged.documents++;
    if (collection === 'clients') {
      names.set(getField(document, 'hostname') ?? '', isFields(getField(document, 'identity')) ? 'v2' : 'v1');
      yield { collection, document: mergeHost(document, known, keys, merged) };
    } else if (collection === 'enrollments') {
      keys.add(getField(document, 'key_id') ?? '');
      yield { collection, document: mergeEnrollment(document, known) };
    } else if (collection === 'tokens') {
      yield { collection, document: { revoked_at: at, ...document } };
    } else yield { collection, document };
  }
  for (const enrollment of known.enrollments.values()) {
    if (keys.has(enrollment.key_id)) continue;
    const { conflict: _, ...rest } = enrollment;
    const conflict = names.get(enrollment.hostname);
    const restored: Enrollment = { ...rest, status: 'pending', ...(conflict === undefined ? {} : { conflict }) };
    const document = mergeEnrollment(escapeFields(enrollmentFields(restored)), known);
    if (document['status'] === 'pending') merged.pending.push(restored);
    yield { collection: 'enrollments', document };
  }
}

function mergeHost(document: Fields, known: KnownIdentities, seen: Set<Value>, merged: Merged): Fields {
  const { identity } = document;
  if (!isFields(identity) || !Array.isArray(identity['keys'])) return document;
  const { sequence } = identity;
  const numbers = [typeof sequence === 'number' ? sequence : 0];
  const keys = identity['keys'].map((key) => {
    const id = isFields(key) ? keyIdOf(key, 'id') : undefined;
    if (!isFields(key) || id === undefined) return key;
    seen.add(id);
    numbers.push(known.sequences.get(id) ?? 0);
    const revoked = known.revoked.get(id);
    if (revoked === undefined || key['revoked_at'] !== undefined) return key;
    merged.revoked++;
    return { ...key, revoked_at: revoked.at };
  });
  const restored = { ...identity, keys, sequence: Math.max(...numbers) };
  return { ...document, identity: mergeLost(restored, known) };
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
