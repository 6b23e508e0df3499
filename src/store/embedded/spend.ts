import type { Enrollment } from '../../core/enrollment.ts';
import type { KeyId } from '../../core/host.ts';
import type { Engine } from './engine.ts';
import { findEnrollment } from './enrollments.ts';
import { SPEAKER } from './reports.ts';
import { integer, optionalDate } from './row.ts';

/** `Spent` of the port without the host, which its reader reads by itself. */
export type Advanced =
  | { outcome: 'spent' }
  | { outcome: 'replayed'; last: number }
  | { outcome: 'pending'; enrollment: Enrollment }
  | { outcome: 'revoked' }
  | { outcome: 'unknown' };

const ADVANCE_HOST = `UPDATE hosts SET sequence = ? WHERE ${SPEAKER} AND sequence < ?`;
const ADVANCE_ENROLLMENT = `UPDATE enrollments SET sequence = ? WHERE key_id = ? AND status = 'pending' AND sequence < ?`;

/** Uses up a sequence number of a host, or of a key that still waits for approval; else finds out why not. */
export function spend(engine: Engine, key: KeyId, sequence: number, at: Date): Advanced {
  return engine.transaction(() => {
    if (engine.run(ADVANCE_HOST, sequence, key, at.getTime(), sequence) > 0) return { outcome: 'spent' };
    const advanced = engine.run(ADVANCE_ENROLLMENT, sequence, key, sequence) > 0;
    const host = engine.get(
      'SELECT revoked_at, ends_at, sequence FROM host_keys JOIN hosts ON hosts.id = host_keys.host WHERE key_id = ?',
      key,
    );
    if (host !== undefined) {
      const [revoked_at, ends_at] = [optionalDate(host, 'revoked_at'), optionalDate(host, 'ends_at')];
      if (revoked_at !== undefined || (ends_at !== undefined && ends_at <= at)) return { outcome: 'revoked' };
      // a host that has a key has an identity, and with it a number
      return { outcome: 'replayed', last: integer(host, 'sequence') };
    }
    const enrollment = findEnrollment(engine, key);
    if (enrollment?.status === 'revoked') return { outcome: 'revoked' };
    // approved, and no host: it was forgotten
    if (enrollment?.status !== 'pending') return { outcome: 'unknown' };
    return advanced ? { outcome: 'pending', enrollment } : { outcome: 'replayed', last: enrollment.sequence };
  });
}
