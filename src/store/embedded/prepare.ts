/**
 * Reports as rows, their documents as text already: made by whoever asks for the write, so that the one process
 * that may write (serve-writes.ts) has little else to do than to run the statements.
 */
import type { Judgement } from '../../core/check.ts';
import type { Acknowledgement, KeyId } from '../../core/host.ts';
import type { TrailRecord } from '../../core/trail.ts';
import type { Fields } from '../../core/value.ts';
import { stampedEach } from '../host-document.ts';
import { judgementFields } from '../judgement-fields.ts';
import type { CheckIn, Speaker, StoredReport, V1Report } from '../port.ts';
import { writeText } from '../portable.ts';
import { trailFields } from '../records.ts';
import { time } from './row.ts';

export interface AnswerRow {
  submission: string;
  chain: string;
  answered_at: number;
}

export interface CheckInRow extends AnswerRow {
  key_id: KeyId;
  sequence: number;
  epoch: string;
  expected_chain: string | null;
  digest: string;
  hostname: string;
  claimed_hostname: string | null;
  collected_at: number;
}

export interface GoneRow extends AnswerRow {
  key_id: KeyId;
  sequence: number;
  expected_chain: string | null;
  epoch: string;
}

export interface ReportRow extends GoneRow {
  hostname: string;
  digest: string;
  collected_at: number;
  plugins: string;
  list: string;
  commands: string | null;
  checks: ChecksRow | null;
  trail: TrailRow[];
}

export interface V1Row {
  hostname: string;
  at: number;
  collected_at: number | null;
  plugins: string | null;
  commands: string | null;
  checks: ChecksRow | null;
  trail: TrailRow[];
}

export interface ChecksRow {
  version: string;
  evaluated_at: number;
  deadline_at: number | null;
  settled: 0 | 1;
  document: string;
}

export interface TrailRow {
  hostname: string;
  audited_at: number;
  document: string;
}

export function checkInRow(report: CheckIn): CheckInRow {
  return {
    key_id: report.key_id,
    sequence: report.sequence,
    epoch: report.epoch,
    expected_chain: report.chain,
    digest: report.digest,
    hostname: report.hostname,
    claimed_hostname: report.claimed_hostname,
    submission: report.answer.submission,
    chain: report.answer.chain,
    answered_at: time(report.answer.at),
    collected_at: time(report.collected_at),
  };
}

export function goneRow(
  gone: Speaker & { expected_chain: string | null; epoch: string; answer: Acknowledgement },
): GoneRow {
  const { key_id, sequence, expected_chain, epoch, answer } = gone;
  return { key_id, sequence, expected_chain, epoch, ...answerRow(answer) };
}

export function reportRow(report: StoredReport): ReportRow {
  return {
    ...goneRow(report),
    hostname: report.hostname,
    digest: report.digest,
    collected_at: time(report.collected_at),
    plugins: writeText(withoutTime(report.plugins)),
    list: writeText({ ...report.list }),
    commands: report.commands === undefined ? null : writeText(report.commands),
    checks: report.checks === undefined ? null : checksRow(report.checks, report.settled),
    trail: report.trail.map(trailRow),
  };
}

export function v1Row({ hostname, at, collected_at, plugins, commands, checks, settled, trail }: V1Report): V1Row {
  return {
    hostname,
    at: time(at),
    collected_at: time(collected_at),
    plugins: plugins === undefined ? null : writeText(withoutTime(plugins)),
    commands: commands === undefined ? null : writeText(stampedEach(commands, at)),
    checks: checks === undefined ? null : checksRow(checks, settled),
    trail: trail.map(trailRow),
  };
}

export function checksRow(checks: Judgement, settled?: true): ChecksRow {
  return {
    version: checks.version,
    evaluated_at: time(checks.evaluated_at),
    deadline_at: time(checks.deadline_at),
    settled: settled === true ? 1 : 0,
    document: writeText(judgementFields(checks)),
  };
}

function trailRow(record: TrailRecord): TrailRow {
  return {
    hostname: record.hostname,
    audited_at: time(record.audited_at),
    document: writeText(trailFields(record)),
  };
}

function answerRow({ submission, chain, at }: Acknowledgement): AnswerRow {
  return { submission, chain, answered_at: time(at) };
}

/** The time of the plugins has a column of its own, so that a check-in need not write them. */
function withoutTime(plugins: Fields): Fields {
  const { submitted_at: _, ...bodies } = plugins;
  return bodies;
}
