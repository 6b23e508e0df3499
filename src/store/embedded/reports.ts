import { isFields } from '../../core/value.ts';
import { fromText, toText } from '../portable.ts';
import type { Engine } from './engine.ts';
import { everApproved } from './enrollments.ts';
import type { CheckInRow, ChecksRow, GoneRow, ReportRow, V1Row } from './prepare.ts';
import { integer, optionalText, text } from './row.ts';
import { addTrail } from './trail.ts';
import { addHost, set } from './write-host.ts';

/** The host that a key speaks for, unless the key was revoked or has ended: part of every guard. Values: key, time. */
export const SPEAKER =
  'id = (SELECT host FROM host_keys WHERE key_id = ? AND revoked_at IS NULL AND (ends_at IS NULL OR ends_at > ?))';

/** One statement over one short row: the document is not touched. */
export function checkIn(engine: Engine, row: CheckInRow): boolean {
  const changed = engine.run(
    `UPDATE hosts SET sequence = ?, submission = ?, chain = ?, answered_at = ?, submitted_at = ?, plugins_submitted_at = ?,
       collected_at = ?, suspended = NULL
     WHERE ${SPEAKER} AND sequence < ? AND epoch = ? AND chain IS ? AND digest = ? AND submission IS NOT ?
       AND hostname = ? AND claimed_hostname IS ? AND lost_at IS NULL`,
    row.sequence,
    row.submission,
    row.chain,
    row.answered_at,
    row.answered_at,
    row.answered_at,
    row.collected_at,
    row.key_id,
    row.answered_at,
    row.sequence,
    row.epoch,
    row.expected_chain,
    row.digest,
    row.submission,
    row.hostname,
    row.claimed_hostname,
  );
  return changed === 1;
}

/** Host and trail in one transaction: a report that is stored has its trail, once, and no other has any. */
export function storeReport(engine: Engine, row: ReportRow): boolean {
  return engine.transaction(() => {
    const host = acceptReport(engine, row);
    if (host === undefined) return false;
    const { plugins, list, commands, checks } = row;
    set(engine, 'host_documents', host, {
      plugins,
      list,
      ...(commands === null ? {} : { commands }),
      ...(checks === null ? {} : { checks: checks.document }),
    });
    addTrail(engine, row.trail);
    return true;
  });
}

const ACCEPT = `UPDATE hosts SET sequence = ?, submission = ?, chain = ?, answered_at = ?, submitted_at = ?, plugins_submitted_at = ?,
  epoch = ?, digest = ?, collected_at = ?, suspended = NULL`;
const JUDGED = ', checks_version = ?, checks_evaluated_at = ?, checks_deadline_at = ?, settled = ?';
const FITS = `WHERE ${SPEAKER} AND sequence < ? AND chain IS ? AND lost_at IS NULL`;

/** All that is stored in the host's short row, in one statement. @returns the row, undefined where the guard does not hold */
function acceptReport(engine: Engine, row: ReportRow): number | undefined {
  const { checks } = row;
  const found = engine.get(
    `${ACCEPT}${checks === null ? '' : JUDGED} ${FITS} AND hostname = ? RETURNING id`,
    row.sequence,
    row.submission,
    row.chain,
    row.answered_at,
    row.answered_at,
    row.answered_at,
    row.epoch,
    row.digest,
    row.collected_at,
    ...(checks === null ? [] : [checks.version, checks.evaluated_at, checks.deadline_at, checks.settled]),
    row.key_id,
    row.answered_at,
    row.sequence,
    row.expected_chain,
    row.hostname,
  );
  return found === undefined ? undefined : integer(found, 'id');
}

export function settleGone(engine: Engine, row: GoneRow): boolean {
  const changed = engine.run(
    `UPDATE hosts SET sequence = ?, submission = ?, chain = ?, answered_at = ?, epoch = ? ${FITS}`,
    row.sequence,
    row.submission,
    row.chain,
    row.answered_at,
    row.epoch,
    row.key_id,
    row.answered_at,
    row.sequence,
    row.expected_chain,
  );
  return changed === 1;
}

export function storeV1(engine: Engine, row: V1Row): boolean {
  return engine.transaction(() => {
    if (everApproved(engine, row.hostname)) return false;
    const sameName = engine.all(
      'SELECT id, hostname, host_id FROM hosts WHERE hostname = ? COLLATE NOCASE',
      row.hostname,
    );
    if (sameName.some((host) => optionalText(host, 'host_id') !== undefined)) return false;
    const known = sameName.find((host) => text(host, 'hostname') === row.hostname);
    const id = known === undefined ? addHost(engine, row.hostname) : integer(known, 'id');
    const { plugins, commands, checks } = row;
    set(engine, 'hosts', id, {
      submitted_at: row.at,
      suspended: null,
      ...(row.collected_at === null ? {} : { collected_at: row.collected_at }),
      ...(plugins === null ? {} : { plugins_submitted_at: row.at }),
      ...(checks === null ? {} : checksColumns(checks)),
    });
    if (plugins !== null || commands !== null || checks !== null) {
      set(engine, 'host_documents', id, {
        ...(plugins === null ? {} : { plugins }),
        ...(commands === null ? {} : { commands: mergeCommands(engine, id, commands) }),
        ...(checks === null ? {} : { checks: checks.document }),
      });
    }
    addTrail(engine, row.trail);
    return true;
  });
}

/** Stores what the checks say, and whether the issues know of it. */
export function storeChecks(engine: Engine, id: number, checks: ChecksRow): void {
  set(engine, 'hosts', id, checksColumns(checks));
  set(engine, 'host_documents', id, { checks: checks.document });
}

function checksColumns({ version, evaluated_at, deadline_at, settled }: ChecksRow) {
  return { checks_version: version, checks_evaluated_at: evaluated_at, checks_deadline_at: deadline_at, settled };
}

/** Each replaces the command of its name; others stay. Their keys are escaped already. */
function mergeCommands(engine: Engine, id: number, commands: string): string {
  const row = engine.get('SELECT commands FROM host_documents WHERE host = ?', id);
  const written = row === undefined ? undefined : optionalText(row, 'commands');
  if (written === undefined) return commands;
  const [known, added] = [fromText(written), fromText(commands)];
  return toText({ ...(isFields(known) ? known : {}), ...(isFields(added) ? added : {}) });
}
