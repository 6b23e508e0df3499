/** Orders, their targets, and what belongs to them: between stored fields and the types of core. Both adapters read with these. */
import type { HostId } from '../core/host.ts';
import {
  type Captured,
  isSettled,
  ORDER_KINDS,
  ORDER_STATES,
  type Order,
  type OrderReport,
  type OrderState,
  type OrderTarget,
  REPORTED_STATES,
} from '../core/order.ts';
import { type Fields, isFields, type Value } from '../core/value.ts';
import { dateAt, textAt } from './host-document.ts';
import type { KeyStatement } from './port.ts';
import { strings } from './records.ts';

/** Of a file's content, in one record: bytes. */
export const PIECE = 1024 * 1024;
/** What a host itself settled: no later report changes it. */
export const SETTLED_BY_HOST: readonly OrderState[] = REPORTED_STATES.filter(isSettled);

/** @returns undefined where a field is missing or not of its type; likewise below */
export function orderOf(fields: Fields): Order | undefined {
  const { id, manifest, by, why, files, hosts, release } = fields;
  const kind = ORDER_KINDS.find((each) => each === fields['kind']);
  const [made_at, expires_at] = [dateAt(fields, 'made_at'), dateAt(fields, 'expires_at')];
  if (typeof id !== 'string' || typeof manifest !== 'string' || kind === undefined) return undefined;
  if (typeof by !== 'string' || typeof why !== 'string') return undefined;
  if (made_at === undefined || expires_at === undefined) return undefined;
  const [not_before, cancelled_at] = [dateAt(fields, 'not_before'), dateAt(fields, 'cancelled_at')];
  return {
    ...{ id, kind, manifest, signatures: strings(fields['signatures']), made_at },
    ...(not_before && { not_before }),
    ...{ expires_at, by, why },
    files: (Array.isArray(files) ? files : []).flatMap((file) => fileOf(file) ?? []),
    hosts: typeof hosts === 'number' ? hosts : null,
    ...(typeof release === 'number' && { release }),
    ...(cancelled_at && { cancelled_at }),
  };
}

export function orderFields({ files, ...order }: Order): Fields {
  return { ...order, files: files.map((file) => ({ ...file })) };
}

export function orderTargetOf(fields: Fields): OrderTarget | undefined {
  const { order, host_id, hostname, report } = fields;
  const state = ORDER_STATES.find((each) => each === fields['state']);
  const at = dateAt(fields, 'at');
  if (typeof order !== 'string' || typeof host_id !== 'string' || typeof hostname !== 'string') return undefined;
  if (state === undefined || at === undefined) return undefined;
  const known = isFields(report) ? orderReportOf(report) : undefined;
  return { order, host_id: host_id as HostId, hostname, state, at, ...(known && { report: known }) };
}

export function orderReportOf(fields: Fields): OrderReport | undefined {
  const { order, number, exit_status, duration_ms, steps } = fields;
  const state = REPORTED_STATES.find((each) => each === fields['state']);
  const at = dateAt(fields, 'at');
  if (typeof order !== 'string' || typeof number !== 'number' || state === undefined || at === undefined) {
    return undefined;
  }
  const [reason, signal] = [textAt(fields, 'reason'), textAt(fields, 'signal')];
  const [stdout, stderr] = [capturedOf(fields['stdout']), capturedOf(fields['stderr'])];
  return {
    ...{ order, number, state, at },
    ...(reason !== undefined && { reason }),
    ...(typeof exit_status === 'number' && { exit_status }),
    ...(signal !== undefined && { signal }),
    ...(typeof duration_ms === 'number' && { duration_ms }),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
    ...(steps === undefined ? {} : { steps: strings(steps) }),
  };
}

export function orderReportFields({ stdout, stderr, steps, ...report }: OrderReport): Fields {
  return {
    ...report,
    ...(stdout && { stdout: { ...stdout } }),
    ...(stderr && { stderr: { ...stderr } }),
    ...(steps && { steps: [...steps] }),
  };
}

/** The document is kept as text: whoever signed it chose its keys. */
export function statementOf(fields: Fields): KeyStatement | undefined {
  const { kind, number, document } = fields;
  if (kind !== 'order-key' && kind !== 'revocations') return undefined;
  if (typeof number !== 'number' || typeof document !== 'string') return undefined;
  const parsed: Value = JSON.parse(document);
  return isFields(parsed) ? { kind, number, document: parsed } : undefined;
}

export function statementFields({ kind, number, document }: KeyStatement): Fields {
  return { kind, number, document: JSON.stringify(document) };
}

function fileOf(value: Value): Order['files'][number] | undefined {
  if (!isFields(value)) return undefined;
  const { sha256, size } = value;
  return typeof sha256 === 'string' && typeof size === 'number' ? { sha256, size } : undefined;
}

function capturedOf(value: Value | undefined): Captured | undefined {
  if (!isFields(value)) return undefined;
  const { bytes, truncated } = value;
  if (typeof bytes !== 'number' || typeof truncated !== 'boolean') return undefined;
  const [text, base64] = [textAt(value, 'text'), textAt(value, 'base64')];
  return {
    ...(text !== undefined && { text }),
    ...(base64 !== undefined && { base64 }),
    bytes,
    truncated,
  };
}
