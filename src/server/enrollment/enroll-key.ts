import { type Enrollment, identityOf, type NameConflict, type Token } from '../../core/enrollment.ts';
import { Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import { type HostId, isSameName, type KeyId } from '../../core/host.ts';
import type { Clock, Random } from '../../core/world.ts';
import type { IdentityLog } from '../../store/identity-log.ts';
import type { Namesake, Store } from '../../store/port.ts';
import type { EnrollRequest } from '../../wire/v2/messages.ts';
import { refuseLost } from '../refuse-lost.ts';
import { replayed } from '../spend-sequence.ts';
import { admitToken, findToken, tokenRefused } from './admit-token.ts';

export interface EnrollmentDeps {
  store: Store;
  /** the append-only list of identities outside the store: what a restored backup is checked against */
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  random: Random;
  log: Log;
}

/** A request whose signature by the key that it brings was verified. */
export interface Applicant {
  keyId: KeyId;
  sequence: number;
  address: string;
  request: EnrollRequest;
}

export interface Enrolled {
  status: 'approved' | 'pending';
  hostId: HostId;
}

/**
 * Enrols a key, or repeats what was answered before. The steps (count the token, remember the key, give it its host, approve) are each
 * harmless when repeated, so that an enrolment that a crash cut short goes on where it stopped when the agent comes again.
 */
export async function enrollKey(deps: EnrollmentDeps, applicant: Applicant): Promise<Enrolled> {
  const { store } = deps;
  const { keyId, sequence, request } = applicant;
  const spent = await store.hosts.spend({ key_id: keyId, sequence }, deps.clock.now());
  switch (spent.outcome) {
    case 'replayed':
      throw replayed(spent.last, 'used');
    case 'revoked':
      throw new Refusal('revoked-key', 'cannot enrol a revoked key; make a new one');
    case 'spent':
      refuseLost(spent.host);
      await requireOwnToken(deps, applicant, await store.enrollments.find(keyId));
      // Where a crash came between giving the key its host and saying so.
      await store.enrollments.approve(keyId, deps.clock.now());
      deps.log.event('enroll.repeated', { host: spent.host.hostname, status: 'approved' });
      return { status: 'approved', hostId: spent.host.identity.host_id };
    case 'pending': {
      const token = await requireOwnToken(deps, applicant, spent.enrollment);
      const enrolled = await finish(deps, spent.enrollment, token);
      deps.log.event('enroll.repeated', { host: spent.enrollment.hostname, status: enrolled.status });
      return enrolled;
    }
    case 'unknown': {
      const token = await admitToken(deps, { secret: request.token, key: keyId, hostname: request.hostname });
      const enrollment = await remember(deps, applicant, token);
      const enrolled = await finish(deps, enrollment, token);
      announce(deps, enrollment, enrolled);
      return enrolled;
    }
    default:
      return spent satisfies never;
  }
}

/**
 * A known key's answer is repeated to whoever shows the token that it enrolled with; no use is counted, and its end does not matter
 * for that. What is still to be done it lets be done only while it is good: see finish.
 */
async function requireOwnToken(
  { store }: EnrollmentDeps,
  { request }: Applicant,
  enrollment: Enrollment | undefined,
): Promise<Token> {
  const token = await findToken(store, request.token);
  if (token === undefined || token.id !== enrollment?.token_id)
    throw tokenRefused('not the one that this key enrolled with');
  if (!isSameName(request.hostname, enrollment.hostname)) throw tokenRefused(`used for ${enrollment.hostname} before`);
  return token;
}

async function remember(
  { store, identities, clock, random }: EnrollmentDeps,
  { keyId, sequence, address, request }: Applicant,
  token: Token,
): Promise<Enrollment> {
  const { hostname, public_key, machine_id_digest } = request;
  const [holder] = await store.hosts.namesakes(hostname);
  const at = clock.now();
  const facts = {
    key_id: keyId,
    // Under the name of a host it can only take that host's place, and the agent keeps the id that it is told now.
    host_id: holder?.host_id ?? (random.uuid() as HostId),
    hostname,
    public_key,
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    address,
    token_id: token.id,
    ...(token.pattern === undefined ? {} : { pattern: token.pattern }),
  };
  await identities.append({ event: 'enrolled', ...facts, at });
  const status = 'pending' as const;
  const conflict = conflictWith(holder);
  const named = conflict === undefined ? {} : { conflict };
  const enrollment: Enrollment = { ...facts, status, ...named, sequence, enrolled_at: at };
  if (await store.enrollments.insert(enrollment)) return enrollment;
  // Either a twin of this request came first, or the key's host was forgotten, which ends the key too.
  const known = await store.enrollments.find(keyId);
  if (known?.status === 'pending') return known;
  throw new Refusal('revoked-key', 'cannot enrol this key again: its host was removed; make a new one');
}

function conflictWith(holder: Namesake | undefined): NameConflict | undefined {
  if (holder === undefined) return undefined;
  return holder.host_id === undefined ? 'v1' : 'v2';
}

async function finish(deps: EnrollmentDeps, enrollment: Enrollment, token: Token): Promise<Enrolled> {
  const { store, clock, identities } = deps;
  const { key_id, host_id, hostname, conflict } = enrollment;
  const pending: Enrolled = { status: 'pending', hostId: host_id };
  if (conflict === 'v2') await raiseDuplicate(deps, hostname);
  const at = clock.now();
  // Left pending by a crash, or because the name was taken: a token that ended meanwhile approves nobody, but an operator may.
  const approves = token.approve && token.revoked_at === undefined && token.expires_at > at;
  if (!approves || conflict !== undefined) return pending;
  await identities.append({ event: 'approved', key_id, host_id, hostname, at });
  // False: somebody took the name since we looked. An operator decides.
  if (!(await store.hosts.attach(hostname, identityOf(enrollment, at), { adopt: false }))) return pending;
  await store.enrollments.approve(key_id, at);
  return { status: 'approved', hostId: host_id };
}

/** It is an issue of the host that has the name, as that one spells it. */
async function raiseDuplicate({ store, clock, log }: EnrollmentDeps, wanted: string): Promise<void> {
  const [holder] = await store.hosts.namesakes(wanted);
  const host = holder?.hostname ?? wanted;
  if (await store.issues.open(host, 'duplicate-hostname', clock.now())) {
    log.event('issue.opened', { host, issue: 'duplicate-hostname' });
  }
}

function announce({ log }: EnrollmentDeps, { hostname, conflict, address }: Enrollment, { status }: Enrolled): void {
  if (status === 'approved') log.event('enroll.approved', { host: hostname, remote: address });
  else log.event('enroll.pending', { host: hostname, remote: address, conflict });
}
