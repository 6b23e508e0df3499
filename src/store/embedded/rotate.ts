import type { HostKey } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import type { Rotation } from '../port.ts';
import { enrollmentFields } from '../records.ts';
import type { Engine } from './engine.ts';
import { addEnrollment } from './enrollments.ts';
import { integer, time } from './row.ts';
import { addKey } from './write-host.ts';

export function rotate(engine: Engine, rotation: Rotation, at: Date): boolean {
  const { enrollment, ends_at } = rotation;
  const { key_id, public_key, replaces } = enrollment;
  return engine.transaction(() => {
    const host = rowOf(engine, rotation);
    if (host === undefined) return false;
    if (engine.get('SELECT 1 FROM host_keys WHERE key_id = ?', key_id) !== undefined) return false;
    if (!addEnrollment(engine, escapeFields(enrollmentFields(enrollment)))) return false;
    engine.run(
      'UPDATE host_keys SET ends_at = min(coalesce(ends_at, ?), ?) WHERE host = ? AND revoked_at IS NULL AND key_id <> ?',
      time(at),
      time(at),
      host,
      replaces,
    );
    engine.run('UPDATE host_keys SET ends_at = ? WHERE key_id = ?', time(ends_at), replaces);
    const last = engine.get('SELECT max(position) AS position FROM host_keys WHERE host = ?', host);
    const key: HostKey = { id: key_id, public_key, added_at: at, replaces };
    addKey(engine, host, last === undefined ? 0 : integer(last, 'position') + 1, key);
    return true;
  });
}

function rowOf(engine: Engine, { host_id, enrollment, none_since }: Rotation): number | undefined {
  const row = engine.get(
    `SELECT id FROM hosts WHERE host_id = ? AND lost_at IS NULL
       AND id = (SELECT host FROM host_keys WHERE key_id = ? AND revoked_at IS NULL AND ends_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM host_keys WHERE host = hosts.id AND replaces IS NOT NULL AND added_at > ?)`,
    host_id,
    enrollment.replaces,
    time(none_since),
  );
  return row === undefined ? undefined : integer(row, 'id');
}
