import type { TrailRecord } from '../../core/trail.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { escapeFields } from '../escape.ts';
import { readText, toText } from '../portable.ts';
import { trailFields, trailRecordOf } from '../records.ts';
import type { Bindable, Engine } from './engine.ts';
import { text, time } from './row.ts';

/** Within the transaction that stores the report. */
export function addTrail(engine: Engine, trail: TrailRecord[]): void {
  for (const record of trail) addTrailDocument(engine, escapeFields(trailFields(record)));
}

/** @param document in portable form */
export function addTrailDocument(engine: Engine, document: Fields): void {
  const { hostname, audited_at } = document;
  engine.run(
    'INSERT INTO trail (hostname, audited_at, document) VALUES (?, ?, ?)',
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
