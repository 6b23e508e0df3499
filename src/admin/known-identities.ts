import type { Enrollment } from '../core/enrollment.ts';
import type { HostId, KeyId } from '../core/host.ts';
import type { IdentityEvent, IdentityLog } from '../store/identity-log.ts';
import type { Store } from '../store/port.ts';

/** What is known of keys now: what a backup, older than this, cannot know. */
export interface KnownIdentities {
  /** of keys that enrolled */
  enrollments: ReadonlyMap<KeyId, Enrollment>;
  /** records of keys that took over from another one, in the order in which they did */
  rotated: ReadonlyMap<KeyId, Enrollment & { replaces: KeyId }>;
  /** when keys end that another one took over from */
  ends: ReadonlyMap<KeyId, Date>;
  /** the last sequence number used, where the present store has the key */
  sequences: ReadonlyMap<KeyId, number>;
  approved: ReadonlyMap<KeyId, Date>;
  revoked: ReadonlyMap<KeyId, { at: Date; why?: string }>;
  /** hosts that were marked as lost since when, or (undefined) found */
  lost: ReadonlyMap<HostId, Date | undefined>;
  /** lines of the list that a crash cut off */
  unreadable: number;
}

/** Out of the list that lies outside the store, and of the store as it is (it may be damaged or empty: that is why it is restored). */
export async function knownIdentities(store: Store, log: IdentityLog): Promise<KnownIdentities> {
  const { events, unreadable } = await log.read();
  const enrollments = new Map<KeyId, Enrollment>();
  const sequences = new Map<KeyId, number>();
  const rotated = new Map<KeyId, Enrollment & { replaces: KeyId }>();
  const ends = new Map<KeyId, Date>();
  const approved = new Map<KeyId, Date>();
  const revoked = new Map<KeyId, { at: Date; why?: string }>();
  const lost = new Map<HostId, Date | undefined>();
  // A list that was saved is appended to the one that is there: time tells what came first.
  for (const event of events.toSorted((a, b) => a.at.getTime() - b.at.getTime())) {
    const { key_id, at, why } = event;
    if (event.event === 'enrolled') addTo(enrollments, enrollmentOfEvent(event));
    if (event.event === 'rotated') noteRotation(event, { rotated, ends, revoked });
    if (event.event === 'not-rotated') rotated.delete(key_id);
    const mark =
      event.event === 'lost' ? { lost_at: at } : event.event === 'found' ? { lost_at: undefined } : undefined;
    if (mark !== undefined && event.host_id !== undefined) lost.set(event.host_id, mark.lost_at);
    if (event.event === 'approved') approved.set(key_id, at);
    if (event.event === 'revoked' && !revoked.has(key_id))
      revoked.set(key_id, why === undefined ? { at } : { at, why });
  }
  for (const enrollment of await store.enrollments.list()) {
    const { key_id, approved_at, revoked_at, revoked_why, sequence } = enrollment;
    if (enrollment.replaces === undefined) enrollments.set(key_id, enrollment);
    else rotated.set(key_id, { ...enrollment, replaces: enrollment.replaces });
    sequences.set(key_id, sequence);
    if (approved_at !== undefined) approved.set(key_id, approved_at);
    if (revoked_at !== undefined && !revoked.has(key_id)) {
      revoked.set(key_id, revoked_why === undefined ? { at: revoked_at } : { at: revoked_at, why: revoked_why });
    }
  }
  for await (const { identity } of store.hosts.list()) {
    for (const { id, ends_at, revoked_at } of identity?.keys ?? []) {
      if (ends_at !== undefined) endAt(ends, id, ends_at);
      sequences.set(id, Math.max(identity?.sequence ?? 0, sequences.get(id) ?? 0));
      if (revoked_at !== undefined && !revoked.has(id)) revoked.set(id, { at: revoked_at });
    }
  }
  return { enrollments, rotated, ends, sequences, approved, revoked, lost, unreadable };
}

function addTo(enrollments: Map<KeyId, Enrollment>, enrollment: Enrollment | undefined): void {
  if (enrollment !== undefined) enrollments.set(enrollment.key_id, enrollment);
}

type Rotations = {
  rotated: Map<KeyId, Enrollment & { replaces: KeyId }>;
  ends: Map<KeyId, Date>;
  revoked: ReadonlyMap<KeyId, unknown>;
};

/** As the store did it: a revoked key vouches for none, and a third key ends the first one. */
function noteRotation(event: IdentityEvent, { rotated, ends, revoked }: Rotations): void {
  const { replaces, ends_at, at } = event;
  const enrollment = enrollmentOfEvent(event);
  if (enrollment === undefined || replaces === undefined || revoked.has(replaces)) return;
  rotated.set(enrollment.key_id, { ...enrollment, replaces, status: 'approved', approved_at: at });
  if (ends_at !== undefined) endAt(ends, replaces, ends_at);
  const before = rotated.get(replaces)?.replaces;
  if (before !== undefined) endAt(ends, before, at);
}

function endAt(ends: Map<KeyId, Date>, key: KeyId, at: Date): void {
  const known = ends.get(key);
  if (known === undefined || at < known) ends.set(key, at);
}

function enrollmentOfEvent(event: IdentityEvent): Enrollment | undefined {
  const { key_id, host_id, hostname, public_key, machine_id_digest, address, token_id, pattern, at } = event;
  if (host_id === undefined || hostname === undefined || public_key === undefined) {
    return undefined;
  }
  return {
    key_id,
    host_id,
    hostname,
    public_key,
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    address: address ?? 'unknown',
    token_id: token_id ?? '',
    ...(pattern === undefined ? {} : { pattern }),
    status: 'pending',
    sequence: 0,
    enrolled_at: at,
  };
}
