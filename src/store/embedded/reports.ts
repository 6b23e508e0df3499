import type { Judgement } from '../../core/check.ts';
import type { Acknowledgement } from '../../core/host.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { judgementFields, stampedEach } from '../host-document.ts';
import type { CheckIn, Speaker, StoredReport, V1Report } from '../port.ts';
import { readText, writeText } from '../portable.ts';
import type { Bindable, Engine } from './engine.ts';
import { everApproved } from './enrollments.ts';
import { integer, optionalText, time } from './row.ts';
import { addTrail } from './trail.ts';
import { addHost, checksColumns, set } from './write-host.ts';

/** The host that a key speaks for, unless the key was revoked: part of every guard. */
export const SPEAKER = 'id = (SELECT host FROM host_keys WHERE key_id = ? AND revoked_at IS NULL)';

/** One statement over one short row: the document is not touched. */
export function checkIn(engine: Engine, report: CheckIn): boolean {
  const changed = engine.run(
    `UPDATE hosts SET sequence = ?, submission = ?, chain = ?, answered_at = ?, submitted_at = ?, plugins_submitted_at = ?,
       collected_at = ?, suspended = NULL
     WHERE ${SPEAKER} AND sequence < ? AND epoch = ? AND chain IS ? AND digest = ? AND submission IS NOT ?
       AND hostname = ? AND claimed_hostname IS ? AND lost_at IS NULL`,
    report.sequence,
    ...answerValues(report.answer),
    time(report.answer.at),
    time(report.answer.at),
    time(report.collected_at),
    report.key_id,
    report.sequence,
    report.epoch,
    report.chain,
    report.digest,
    report.answer.submission,
    report.hostname,
    report.claimed_hostname,
  );
  return changed === 1;
}

/** Host and trail in one transaction: a report that is stored has its trail, once, and no other has any. */
export function storeReport(engine: Engine, report: StoredReport): boolean {
  return engine.transaction(() => {
    const named = engine.get(`SELECT 1 FROM hosts WHERE ${SPEAKER} AND hostname = ?`, report.key_id, report.hostname);
    const id = named === undefined ? undefined : spendAndAnswer(engine, report);
    if (id === undefined) return false;
    set(engine, 'hosts', id, {
      digest: report.digest,
      submitted_at: time(report.answer.at),
      plugins_submitted_at: time(report.answer.at),
      collected_at: time(report.collected_at),
      suspended: null,
    });
    set(engine, 'host_documents', id, {
      plugins: writeText(withoutTime(report.plugins)),
      list: writeText({ ...report.list }),
      ...(report.commands === undefined ? {} : { commands: writeText(report.commands) }),
    });
    if (report.checks !== undefined) storeChecks(engine, id, report.checks);
    addTrail(engine, report.trail);
    return true;
  });
}

export function settleGone(
  engine: Engine,
  gone: Speaker & { expected_chain: string | null; epoch: string; answer: Acknowledgement },
): boolean {
  return spendAndAnswer(engine, gone) !== undefined;
}

export function storeV1(engine: Engine, report: V1Report): boolean {
  return engine.transaction(() => {
    if (everApproved(engine, report.hostname)) return false;
    const row = engine.get('SELECT id, host_id FROM hosts WHERE hostname = ?', report.hostname);
    if (row !== undefined && optionalText(row, 'host_id') !== undefined) return false;
    const id = row === undefined ? addHost(engine, report.hostname) : integer(row, 'id');
    set(engine, 'hosts', id, {
      submitted_at: time(report.at),
      suspended: null,
      ...(report.collected_at === undefined ? {} : { collected_at: time(report.collected_at) }),
      ...(report.plugins === undefined ? {} : { plugins_submitted_at: time(report.at) }),
    });
    if (report.plugins !== undefined) {
      set(engine, 'host_documents', id, { plugins: writeText(withoutTime(report.plugins)) });
    }
    if (report.commands !== undefined) mergeCommands(engine, id, stampedEach(report.commands, report.at));
    if (report.checks !== undefined) storeChecks(engine, id, report.checks);
    addTrail(engine, report.trail);
    return true;
  });
}

/** Stores what the checks say, and that the issues do not know of it yet. */
export function storeChecks(engine: Engine, id: number, checks: Judgement): void {
  const document = judgementFields(checks);
  set(engine, 'hosts', id, { ...checksColumns(document), settled: 0 });
  set(engine, 'host_documents', id, { checks: writeText(document) });
}

/** The guard of everything that is stored for v2. @returns the host's row, undefined where the guard does not hold */
function spendAndAnswer(
  engine: Engine,
  said: Speaker & { expected_chain: string | null; epoch: string; answer: Acknowledgement },
): number | undefined {
  const row = engine.get(
    `UPDATE hosts SET sequence = ?, submission = ?, chain = ?, answered_at = ?, epoch = ?
     WHERE ${SPEAKER} AND sequence < ? AND chain IS ? AND lost_at IS NULL RETURNING id`,
    said.sequence,
    ...answerValues(said.answer),
    said.epoch,
    said.key_id,
    said.sequence,
    said.expected_chain,
  );
  return row === undefined ? undefined : integer(row, 'id');
}

function answerValues(answer: Acknowledgement): [string, string, Bindable] {
  return [answer.submission, answer.chain, time(answer.at)];
}

/** The time of the plugins has a column of its own, so that a check-in need not write them. */
function withoutTime(plugins: Fields): Fields {
  const { submitted_at: _, ...bodies } = plugins;
  return bodies;
}

function mergeCommands(engine: Engine, id: number, commands: Fields): void {
  const row = engine.get('SELECT commands FROM host_documents WHERE host = ?', id);
  const written = row === undefined ? undefined : optionalText(row, 'commands');
  const known = written === undefined ? {} : readText(written);
  set(engine, 'host_documents', id, { commands: writeText({ ...(isFields(known) ? known : {}), ...commands }) });
}
