import type { Enrollment } from '../../core/enrollment.ts';
import type { HostId, KeyId } from '../../core/host.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { escapeFields } from '../escape.ts';
import { fromText, plainFields, toText } from '../portable.ts';
import { enrollmentFields, enrollmentOf } from '../records.ts';
import type { Engine, Row } from './engine.ts';
import { date, integer, optionalDate, optionalText, text, time } from './row.ts';

export function insertEnrollment(engine: Engine, enrollment: Enrollment): boolean {
  return addEnrollment(engine, escapeFields(enrollmentFields(enrollment)));
}

export function findEnrollment(engine: Engine, key: KeyId): Enrollment | undefined {
  const row = engine.get('SELECT * FROM enrollments WHERE key_id = ?', key);
  return row === undefined ? undefined : enrollmentOf(plainFields(enrollmentDocument(row)));
}

export function listEnrollments(engine: Engine): Enrollment[] {
  return engine
    .all('SELECT * FROM enrollments ORDER BY enrolled_at, key_id')
    .flatMap((row) => enrollmentOf(plainFields(enrollmentDocument(row))) ?? []);
}

export function everApproved(engine: Engine, hostname: string): boolean {
  return approvedAs(engine, hostname) !== undefined;
}

/** The first enrolment that was ever approved under the name, in any case; of a host of another id than this, where one is given. */
export function approvedAs(engine: Engine, hostname: string, other: HostId | '' = ''): Row | undefined {
  const now =
    'SELECT key_id FROM enrollments WHERE hostname = ? COLLATE NOCASE AND approved_at IS NOT NULL AND host_id <> ?';
  const before = `SELECT key_id FROM enrollments WHERE json_extract(document, '$.former_hostnames') IS NOT NULL AND host_id <> ?
    AND EXISTS (SELECT 1 FROM json_each(document, '$.former_hostnames') WHERE value = ? COLLATE NOCASE)`;
  return engine.get(now, hostname, other) ?? engine.get(before, other, hostname);
}

export function approve(engine: Engine, key: KeyId, at: Date): boolean {
  const sql = `UPDATE enrollments SET status = 'approved', approved_at = ? WHERE key_id = ? AND status = 'pending'`;
  return engine.run(sql, time(at), key) > 0;
}

export function revokeEnrollment(engine: Engine, key: KeyId, at: Date, why: string): boolean {
  const sql = `UPDATE enrollments SET status = 'revoked', revoked_at = ?, revoked_why = ? WHERE key_id = ? AND status <> 'revoked'`;
  return engine.run(sql, time(at), why, key) > 0;
}

/** @param document in portable form. @returns false where the key is known */
export function addEnrollment(engine: Engine, document: Fields): boolean {
  const enrollment = enrollmentOf(plainFields(document));
  if (enrollment === undefined) throw new TypeError('expected an enrolment in a document of enrollments');
  const { key_id, host_id, hostname, status, sequence, enrolled_at, approved_at, revoked_at, revoked_why, ...rest } =
    document;
  return (
    engine.run(
      `INSERT INTO enrollments (key_id, host_id, hostname, status, sequence, enrolled_at, approved_at, revoked_at, revoked_why, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      enrollment.key_id,
      enrollment.host_id,
      enrollment.hostname,
      enrollment.status,
      enrollment.sequence,
      time(enrollment.enrolled_at),
      time(enrollment.approved_at),
      time(enrollment.revoked_at),
      enrollment.revoked_why ?? null,
      toText(rest),
    ) > 0
  );
}

/** In portable form. */
export function enrollmentDocument(row: Row): Fields {
  const rest = fromText(text(row, 'document'));
  const approved_at = optionalDate(row, 'approved_at');
  const revoked_at = optionalDate(row, 'revoked_at');
  const revoked_why = optionalText(row, 'revoked_why');
  return {
    ...(isFields(rest) ? rest : {}),
    key_id: text(row, 'key_id'),
    host_id: text(row, 'host_id'),
    hostname: text(row, 'hostname'),
    status: text(row, 'status'),
    sequence: integer(row, 'sequence'),
    enrolled_at: date(row, 'enrolled_at'),
    ...(approved_at === undefined ? {} : { approved_at }),
    ...(revoked_at === undefined ? {} : { revoked_at }),
    ...(revoked_why === undefined ? {} : { revoked_why }),
  };
}
