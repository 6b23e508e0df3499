import { createHash, randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import { type Enrollment, identityOf, type Token } from '../../src/core/enrollment.ts';
import type { Digest, HostId, Identity, KeyId } from '../../src/core/host.ts';
import type { CheckIn, Store, StoredReport } from '../../src/store/port.ts';

/** Valid documents, each different, for tests that need some. */
export function anEnrollment(changes: Partial<Enrollment> = {}): Enrollment {
  const key = randomBytes(32);
  return {
    key_id: createHash('sha256').update(key).digest('base64url') as KeyId,
    host_id: v7() as HostId,
    hostname: `host-${randomBytes(4).toString('hex')}`,
    public_key: key.toString('base64'),
    machine_id_digest: createHash('sha256').update(key).digest('hex'),
    address: '192.0.2.1',
    token_id: v7(),
    status: 'pending',
    sequence: 1_763_900_000_000_000,
    enrolled_at: new Date('2026-11-23T10:00:00.123Z'),
    ...changes,
  };
}

export function aToken(changes: Partial<Token> = {}): Token {
  return {
    id: v7(),
    hash: randomBytes(32).toString('hex'),
    created_at: new Date('2026-11-23T09:00:00Z'),
    expires_at: new Date('2026-11-24T09:00:00Z'),
    uses: 1,
    used_by: [],
    approve: true,
    ...changes,
  };
}

/** An approved host of v2 that has not reported yet. */
export async function enrolledHost(
  store: Store,
  changes: Partial<Enrollment> = {},
): Promise<{ hostname: string; key_id: KeyId; identity: Identity }> {
  const enrollment = anEnrollment(changes);
  const at = new Date('2026-11-23T10:00:01Z');
  const identity = identityOf(enrollment, at);
  await store.enrollments.insert(enrollment);
  await store.hosts.attach(enrollment.hostname, identity, { adopt: false });
  await store.enrollments.approve(enrollment.key_id, at);
  return { hostname: enrollment.hostname, key_id: enrollment.key_id, identity };
}

export function aDigest(of: string): Digest {
  return createHash('sha256').update(of).digest('hex') as Digest;
}

/** The first report of such a host, unless changed. */
export function aReport(
  host: { hostname: string; key_id: KeyId; identity: Identity },
  changes: Partial<StoredReport> = {},
): StoredReport {
  const at = new Date('2026-11-23T10:10:00.500Z');
  return {
    key_id: host.key_id,
    hostname: host.hostname,
    sequence: host.identity.sequence + 1,
    expected_chain: null,
    epoch: v7(),
    digest: aDigest('first'),
    list: { 'plugins.os_info': aDigest('os_info') },
    answer: { submission: v7(), chain: randomBytes(16).toString('base64url'), at },
    collected_at: new Date('2026-11-23T10:09:00Z'),
    plugins: { os_info: { distname: 'Debian', version: '12' } },
    trail: [
      {
        hostname: host.hostname,
        audited_at: at,
        key: 'plugins.os_info',
        type: 'add',
        new: { distname: 'Debian', version: '12' },
      },
    ],
    ...changes,
  };
}

/** An unchanged report after the one given. */
export function aCheckIn(after: StoredReport, changes: Partial<CheckIn> = {}): CheckIn {
  return {
    key_id: after.key_id,
    sequence: after.sequence + 1,
    hostname: after.hostname,
    claimed_hostname: null,
    epoch: after.epoch,
    chain: after.answer.chain,
    digest: after.digest,
    answer: {
      submission: v7(),
      chain: randomBytes(16).toString('base64url'),
      at: new Date(after.answer.at.getTime() + 600_000),
    },
    collected_at: new Date(after.collected_at.getTime() + 600_000),
    ...changes,
  };
}
