import type { Speaker, Spent } from '../port.ts';
import type { Engine } from './engine.ts';
import { findEnrollment } from './enrollments.ts';
import { findHostByKey } from './read-host.ts';
import { SPEAKER } from './reports.ts';

/** Uses up a sequence number of a host, or of a key that still waits for approval; else finds out why not. */
export function spend(engine: Engine, { key_id, sequence }: Speaker): Spent {
  return engine.transaction(() => {
    const advanced =
      engine.run(`UPDATE hosts SET sequence = ? WHERE ${SPEAKER} AND sequence < ?`, sequence, key_id, sequence) +
      engine.run(
        `UPDATE enrollments SET sequence = ? WHERE key_id = ? AND status = 'pending' AND sequence < ?`,
        sequence,
        key_id,
        sequence,
      );
    const host = findHostByKey(engine, key_id);
    if (host !== undefined) {
      if (host.identity.keys.some((key) => key.id === key_id && key.revoked_at !== undefined)) {
        return { outcome: 'revoked' };
      }
      return advanced > 0 ? { outcome: 'spent', host } : { outcome: 'replayed', last: host.identity.sequence };
    }
    const enrollment = findEnrollment(engine, key_id);
    if (enrollment?.status === 'revoked') return { outcome: 'revoked' };
    // approved, and no host: it was forgotten
    if (enrollment?.status !== 'pending') return { outcome: 'unknown' };
    return advanced > 0 ? { outcome: 'pending', enrollment } : { outcome: 'replayed', last: enrollment.sequence };
  });
}
