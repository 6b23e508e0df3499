/** The host's document: between the fields that are stored and the types of core. Fields that nobody knows pass through. */
import type { Acknowledgement, Digest, Host, HostId, HostKey, Identity, KeyId } from '../core/host.ts';
import { type Fields, getField, isFields, setField, type Value } from '../core/value.ts';
import { readJudgement } from './judgement-fields.ts';

/**
 * @param document keys unescaped
 * @returns undefined for a document without a host name; known fields that are not of their type are left out
 */
export function hostOf(document: Fields): Host | undefined {
  const { hostname, plugins, commands, collected_at, submitted_at, suspended, identity, checks, settled, ...rest } =
    document;
  if (typeof hostname !== 'string') return undefined;
  const knownIdentity = readIdentity(identity);
  const knownChecks = readJudgement(checks);
  return {
    ...rest,
    hostname,
    ...(isFields(plugins) && { plugins }),
    ...(isFields(commands) && { commands }),
    ...(collected_at instanceof Date && { collected_at }),
    ...(submitted_at instanceof Date && { submitted_at }),
    ...(typeof suspended === 'boolean' && { suspended }),
    ...(knownIdentity && { identity: knownIdentity }),
    ...(knownChecks && { checks: knownChecks }),
    ...(typeof settled === 'boolean' && { settled }),
  };
}

export function withIdentity(host: Host | undefined): (Host & { identity: Identity }) | undefined {
  return host?.identity === undefined ? undefined : { ...host, identity: host.identity };
}

export function identityFields(identity: Identity): Fields {
  const { host_id, keys, enrolled_at, approved_at, sequence, epoch, last, digest, list } = identity;
  const { machine_id_digest, pattern, claimed_hostname, lost_at } = identity;
  return {
    host_id,
    keys: keys.map(keyFields),
    ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(claimed_hostname === undefined ? {} : { claimed_hostname }),
    ...(lost_at === undefined ? {} : { lost_at }),
    enrolled_at,
    approved_at,
    sequence,
    epoch,
    last: last === null ? null : acknowledgementFields(last),
    digest,
    list: { ...list },
  };
}

export function keyFields({ id, public_key, added_at, ends_at, replaces, revoked_at }: HostKey): Fields {
  return {
    id,
    public_key,
    added_at,
    ...(ends_at === undefined ? {} : { ends_at }),
    ...(replaces === undefined ? {} : { replaces }),
    ...(revoked_at === undefined ? {} : { revoked_at }),
  };
}

export function acknowledgementFields({ submission, chain, at }: Acknowledgement): Fields {
  return { submission, chain, at };
}

export function readIdentity(value: Value | undefined): Identity | undefined {
  if (!isFields(value)) return undefined;
  const { host_id, keys, enrolled_at, approved_at, sequence, epoch, last, digest, list } = value;
  const { machine_id_digest, pattern, claimed_hostname, lost_at } = value;
  if (typeof host_id !== 'string' || !Array.isArray(keys)) return undefined;
  if (!(enrolled_at instanceof Date && approved_at instanceof Date) || typeof sequence !== 'number') return undefined;
  return {
    host_id: host_id as HostId,
    keys: keys.flatMap((key) => readKey(key) ?? []),
    ...(typeof machine_id_digest === 'string' && { machine_id_digest }),
    ...(typeof pattern === 'string' && { pattern }),
    ...(typeof claimed_hostname === 'string' && { claimed_hostname }),
    ...(lost_at instanceof Date && { lost_at }),
    enrolled_at,
    approved_at,
    sequence,
    epoch: typeof epoch === 'string' ? epoch : null,
    last: readAcknowledgement(last),
    digest: typeof digest === 'string' ? (digest as Digest) : null,
    list: readList(list),
  };
}

function readKey(value: Value): HostKey | undefined {
  if (!isFields(value)) return undefined;
  const { id, public_key, added_at, ends_at, replaces, revoked_at } = value;
  if (typeof id !== 'string' || typeof public_key !== 'string' || !(added_at instanceof Date)) return undefined;
  return {
    id: id as KeyId,
    public_key,
    added_at,
    ...(ends_at instanceof Date && { ends_at }),
    ...(typeof replaces === 'string' && { replaces: replaces as KeyId }),
    ...(revoked_at instanceof Date && { revoked_at }),
  };
}

function readAcknowledgement(value: Value | undefined): Acknowledgement | null {
  if (!isFields(value)) return null;
  const { submission, chain, at } = value;
  return typeof submission === 'string' && typeof chain === 'string' && at instanceof Date
    ? { submission, chain, at }
    : null;
}

export function readList(value: Value | undefined): Record<string, Digest> {
  const list: Record<string, Digest> = {};
  if (!isFields(value)) return list;
  for (const [name, digest] of Object.entries(value)) {
    if (typeof digest === 'string') list[name] = digest as Digest;
  }
  return list;
}

/** `plugins` with the time that they arrived. */
export function stamped(fields: Fields, at: Date): Fields {
  return { ...fields, submitted_at: at };
}

/** Each command with the time that it arrived; a result that is no object (no client sends one) has no place for it. */
export function stampedEach(commands: Fields, at: Date): Fields {
  const stampedCommands: Fields = {};
  for (const [name, result] of Object.entries(commands)) {
    setField(stampedCommands, name, isFields(result) ? stamped(result, at) : result);
  }
  return stampedCommands;
}

export function dateAt(fields: Fields, key: string): Date | undefined {
  const value = getField(fields, key);
  return value instanceof Date ? value : undefined;
}

export function textAt(fields: Fields, key: string): string | undefined {
  const value = getField(fields, key);
  return typeof value === 'string' ? value : undefined;
}
