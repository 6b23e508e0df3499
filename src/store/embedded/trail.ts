import type { TrailRecord } from '../../core/trail.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { readText, toText } from '../portable.ts';
import { trailRecordOf } from '../records.ts';
import type { Bindable, Engine } from './engine.ts';
import type { TrailRow } from './prepare.ts';
import { date, text, time } from './row.ts';

/** Within the transaction that stores the report. */
export function addTrail(engine: Engine, trail: readonly TrailRow[]): void {
  for (const { hostname, audited_at, document } of trail) engine.run(ADD, hostname, audited_at, document);
}

const ADD = 'INSERT INTO trail (hostname, audited_at, document) VALUES (?, ?, ?)';

/** @param document in portable form */
export function addTrailDocument(engine: Engine, document: Fields): void {
  const { hostname, audited_at } = document;
  engine.run(
    ADD,
    typeof hostname === 'string' ? hostname : '',
    audited_at instanceof Date ? time(audited_at) : 0,
    toText(document),
  );
}

/** Of one moment, the last written first. */
export function trailHistory(
  engine: Engine,
  hostname: string,
  options: { limit: number; before?: Date },
): TrailRecord[] {
  const values: Bindable[] = [hostname];
  if (options.before !== undefined) values.push(time(options.before));
  return engine
    .all(
      `SELECT document FROM trail WHERE hostname = ? ${options.before === undefined ? '' : 'AND audited_at < ?'}
       ORDER BY audited_at DESC, id DESC LIMIT ?`,
      ...values,
      options.limit,
    )
    .flatMap((row) => {
      const fields = readText(text(row, 'document'));
      return (isFields(fields) ? trailRecordOf(fields) : undefined) ?? [];
    });
}

/** Records without a time of their own (addTrailDocument) say nothing of it. */
export function trailSince(engine: Engine, hostname: string): Date | undefined {
  const row = engine.get(
    'SELECT audited_at FROM trail WHERE hostname = ? AND audited_at > 0 ORDER BY audited_at LIMIT 1',
    hostname,
  );
  return row === undefined ? undefined : date(row, 'audited_at');
}
