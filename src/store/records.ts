/** Enrolments, tokens, issues, patches and trail records: between stored fields and the types of core. Both adapters read with these. */
import type { Enrollment, Token } from '../core/enrollment.ts';
import type { HostId, KeyId } from '../core/host.ts';
import type { Issue } from '../core/issue.ts';
import { type ClientParameter, isParameter, type ParameterName } from '../core/parameters.ts';
import { PATCH_PURPOSES, type Patch, type PatchFile, type PatchRecord } from '../core/patch.ts';
import type { TrailRecord } from '../core/trail.ts';
import { type Fields, getField, isFields, type Value } from '../core/value.ts';
import { dateAt, textAt } from './host-document.ts';

/** @returns undefined where a field is missing or not of its type; likewise below */
export function enrollmentOf(fields: Fields): Enrollment | undefined {
  const { key_id, host_id, hostname, public_key, address, token_id, status, sequence, conflict, former_hostnames } =
    fields;
  const enrolled_at = dateAt(fields, 'enrolled_at');
  if (typeof key_id !== 'string' || typeof host_id !== 'string' || typeof hostname !== 'string') return undefined;
  if (typeof public_key !== 'string' || typeof address !== 'string' || typeof token_id !== 'string') return undefined;
  if (status !== 'pending' && status !== 'approved' && status !== 'revoked') return undefined;
  if (typeof sequence !== 'number' || enrolled_at === undefined) return undefined;
  return {
    key_id: key_id as KeyId,
    host_id: host_id as HostId,
    hostname,
    public_key,
    ...texts(fields, 'machine_id_digest'),
    address,
    token_id,
    ...texts(fields, 'pattern'),
    ...(typeof fields['replaces'] === 'string' && { replaces: fields['replaces'] as KeyId }),
    ...(former_hostnames === undefined ? {} : { former_hostnames: strings(former_hostnames) }),
    status,
    ...((conflict === 'v1' || conflict === 'v2') && { conflict }),
    sequence,
    enrolled_at,
    ...dates(fields, 'approved_at', 'revoked_at'),
    ...texts(fields, 'revoked_why'),
  };
}

export function enrollmentFields(enrollment: Enrollment): Fields {
  return { ...enrollment };
}

export function tokenOf(fields: Fields): Token | undefined {
  const { id, hash, uses, used_by, approve } = fields;
  const created_at = dateAt(fields, 'created_at');
  const expires_at = dateAt(fields, 'expires_at');
  if (typeof id !== 'string' || typeof hash !== 'string' || typeof uses !== 'number') return undefined;
  if (created_at === undefined || expires_at === undefined || typeof approve !== 'boolean') return undefined;
  return {
    id,
    hash,
    created_at,
    expires_at,
    uses,
    used_by: strings(used_by).map((key) => key as KeyId),
    ...texts(fields, 'pattern', 'note'),
    approve,
    ...dates(fields, 'revoked_at'),
  };
}

export function tokenFields(token: Token): Fields {
  return { ...token };
}

export const ISSUE_TIMES = ['closed_at', 'alerted_at', 'snoozed_at', 'unsnooze_at', 'unsnoozed_at'] as const;

export function issueOf(fields: Fields): Issue | undefined {
  const { hostname, name } = fields;
  const opened_at = dateAt(fields, 'opened_at');
  if (typeof hostname !== 'string' || typeof name !== 'string' || opened_at === undefined) return undefined;
  const issue: Issue = Object.assign({ hostname, name, opened_at }, dates(fields, ...ISSUE_TIMES));
  if (fields['by_hand'] === true) issue.by_hand = true;
  return issue;
}

/** Name of an issue → the hosts that are named with it. */
export function hostsByIssue(issues: readonly Pick<Issue, 'hostname' | 'name'>[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const { hostname, name } of issues) {
    const hostnames = byName.get(name);
    if (hostnames === undefined) byName.set(name, [hostname]);
    else hostnames.push(hostname);
  }
  return byName;
}

/** One of `client_parameters` that is set. @returns undefined for one that is not, or whose name nobody knows */
export function parameterOf(fields: Fields): ClientParameter | undefined {
  const { hostname, parameter, value } = fields;
  if (typeof hostname !== 'string' || typeof parameter !== 'string' || !isParameter(parameter)) return undefined;
  const list = typeof value === 'string' ? [value] : strings(value);
  return list.length === 0 ? undefined : { hostname, parameter, value: list };
}

/** By host name, then parameter. */
export function selectParameters(
  parameters: readonly ClientParameter[],
  filter: { hostnames?: readonly string[]; parameters?: readonly ParameterName[] } = {},
): ClientParameter[] {
  const hosts = filter.hostnames === undefined ? undefined : new Set(filter.hostnames);
  return parameters
    .filter(({ hostname }) => hosts?.has(hostname) !== false)
    .filter(({ parameter }) => filter.parameters?.includes(parameter) !== false)
    .sort((a, b) =>
      a.hostname === b.hostname ? (a.parameter < b.parameter ? -1 : 1) : a.hostname < b.hostname ? -1 : 1,
    );
}

/** The original writes `action` for `type` when something went away. */
export function trailRecordOf(fields: Fields): TrailRecord | undefined {
  const { hostname, key, type, action, old, new: now } = fields;
  const kind = type ?? action;
  const audited_at = dateAt(fields, 'audited_at');
  if (typeof hostname !== 'string' || typeof key !== 'string' || audited_at === undefined) return undefined;
  if (kind !== 'add' && kind !== 'change' && kind !== 'delete') return undefined;
  return {
    hostname,
    audited_at,
    key,
    type: kind,
    ...(old !== undefined && { old }),
    ...(now !== undefined && { new: now }),
  };
}

export function trailFields({ hostname, audited_at, key, type, old, new: now }: TrailRecord): Fields {
  return {
    hostname,
    audited_at,
    key,
    type,
    ...(old === undefined ? {} : { old }),
    ...(now === undefined ? {} : { new: now }),
  };
}

export function patchOf(id: string, fields: Fields): Patch {
  const { files, pending_hosts, completed_hosts } = fields;
  return {
    id,
    files: (Array.isArray(files) ? files : []).flatMap((file) => patchFileOf(file) ?? []),
    pending_hosts: strings(pending_hosts),
    completed_hosts: strings(completed_hosts),
  };
}

export function patchRecordOf(id: string, fields: Fields): PatchRecord {
  const purpose = PATCH_PURPOSES.find((each) => each === fields['purpose']);
  return {
    ...patchOf(id, fields),
    // an ObjectId begins with the second in which it was made
    submitted_at: dateAt(fields, 'submitted_at') ?? new Date(Number.parseInt(id.slice(0, 8), 16) * 1000),
    ...(purpose === undefined ? {} : { purpose }),
    ...texts(fields, 'command', 'by', 'why'),
    cancelled_hosts: strings(fields['cancelled_hosts']),
  };
}

/** As the original stores it: all but the id. */
export function patchFields({ id: _, cancelled_hosts, ...patch }: PatchRecord): Fields {
  const cancelled = cancelled_hosts.length === 0 ? {} : { cancelled_hosts };
  return { ...patch, files: patch.files.map((file) => ({ ...file })), ...cancelled };
}

export function withoutContent(patch: PatchRecord): PatchRecord {
  return { ...patch, files: patch.files.map(({ path, mode }) => ({ path, mode })) };
}

function patchFileOf(value: Value): PatchFile | undefined {
  if (!isFields(value)) return undefined;
  const { path, mode } = value;
  return typeof path === 'string' && typeof mode === 'number' ? { path, mode, ...texts(value, 'content') } : undefined;
}

/** Hex of an ObjectId in portable form. */
export function objectIdOf(value: Value | undefined): string | undefined {
  return isFields(value) ? textAt(value, '$oid') : undefined;
}

export function strings(value: Value | undefined): string[] {
  return (Array.isArray(value) ? value : []).filter((member) => typeof member === 'string');
}

/** Those of the keys that hold a text. */
function texts<K extends string>(fields: Fields, ...keys: K[]): { [key in K]?: string } {
  const found: { [key in K]?: string } = {};
  for (const key of keys) {
    const value = getField(fields, key);
    if (typeof value === 'string') found[key] = value;
  }
  return found;
}

function dates<K extends string>(fields: Fields, ...keys: K[]): { [key in K]?: Date } {
  const found: { [key in K]?: Date } = {};
  for (const key of keys) {
    const value = getField(fields, key);
    if (value instanceof Date) found[key] = value;
  }
  return found;
}
