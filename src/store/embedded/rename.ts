import type { HostId } from '../../core/host.ts';
import type { Renaming } from '../port.ts';
import type { Engine } from './engine.ts';
import { approvedAs } from './enrollments.ts';
import { renameParameters } from './parameters.ts';
import { namesakes } from './read-host.ts';
import { time } from './row.ts';

/** All of it in one transaction. */
export function rename(engine: Engine, { id, from, to }: Renaming, at: Date): 'renamed' | 'taken' | 'changed' {
  return engine.transaction(() => {
    if (namesakes(engine, to).some(({ host_id }) => host_id !== id)) return 'taken';
    if (approvedAs(engine, to, id) !== undefined) return 'taken';
    const sql = 'UPDATE hosts SET hostname = ?, claimed_hostname = NULL WHERE hostname = ? AND host_id = ?';
    if (engine.run(sql, to, from, id) === 0) return 'changed';
    keepFormerName(engine, { id, from, to });
    engine.run(
      `UPDATE issues SET closed_at = ?, open = NULL WHERE hostname = ? AND closed_at IS NULL
         AND name IN (SELECT name FROM issues WHERE hostname = ? AND closed_at IS NULL)`,
      time(at),
      from,
      to,
    );
    engine.run('UPDATE issues SET hostname = ? WHERE hostname = ?', to, from);
    const document = `document = json_set(document, '$.hostname', ?)`;
    engine.run(`UPDATE trail SET hostname = ?, ${document} WHERE hostname = ?`, to, to, from);
    renameParameters(engine, from, to, at);
    // Where a patch knows both names already, the former one has nothing to add.
    engine.run('UPDATE OR REPLACE patch_hosts SET hostname = ? WHERE hostname = ?', to, from);
    engine.run('UPDATE order_targets SET hostname = ? WHERE host_id = ?', to, id);
    engine.run('UPDATE outbox SET hostname = ? WHERE hostname = ? AND delivered_at IS NULL', to, from);
    return 'renamed';
  });
}

export function claim(
  engine: Engine,
  { id, hostname }: { id: HostId; hostname: string },
  claimed_hostname: string | null,
): boolean {
  const sql = 'UPDATE hosts SET claimed_hostname = ? WHERE hostname = ? AND host_id = ?';
  return engine.run(sql, claimed_hostname, hostname, id) > 0;
}

/** A name that comes back is no former one any more. */
function keepFormerName(engine: Engine, { id, from, to }: Renaming): void {
  engine.run(
    `UPDATE enrollments SET hostname = ?, document = json_set(document, '$.former_hostnames', (
       SELECT json_group_array(value) FROM (
         SELECT value FROM json_each(document, '$.former_hostnames') WHERE value NOT IN (?, ?) UNION ALL SELECT ?)))
     WHERE host_id = ? AND approved_at IS NOT NULL`,
    to,
    from,
    to,
    from,
    id,
  );
}
