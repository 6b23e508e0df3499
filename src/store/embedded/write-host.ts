import type { HostKey, Identity } from '../../core/host.ts';
import { type Fields, isFields, type Value } from '../../core/value.ts';
import { escapeFields } from '../escape.ts';
import { identityFields, readIdentity } from '../host-document.ts';
import { plainFields, toText, writeText } from '../portable.ts';
import type { Bindable, Engine } from './engine.ts';
import { integer, time } from './row.ts';

/** Takes a host's document apart and stores it. @param document in portable form */
export function insertHost(engine: Engine, document: Fields): void {
  const { hostname, plugins, commands, submitted_at, collected_at, suspended, settled, checks, identity, ...other } =
    document;
  if (typeof hostname !== 'string') throw new TypeError('expected a host name in a document of clients');
  const known = isFields(identity) ? readIdentity(plainFields(identity)) : undefined;
  // What is not of its type has no column, and stays as it is among the rest.
  const rest: Fields = {
    ...other,
    ...leftOver('submitted_at', submitted_at, submitted_at instanceof Date),
    ...leftOver('collected_at', collected_at, collected_at instanceof Date),
    ...leftOver('suspended', suspended, typeof suspended === 'boolean'),
    ...leftOver('settled', settled, typeof settled === 'boolean'),
    ...leftOver('plugins', plugins, isFields(plugins)),
    ...leftOver('commands', commands, isFields(commands)),
    ...leftOver('checks', checks, isFields(checks)),
    ...leftOver('identity', identity, known !== undefined),
  };
  const { submitted_at: arrived, ...bodies } = isFields(plugins) ? plugins : {};
  const id = addHost(engine, hostname, toText(rest));
  set(engine, 'hosts', id, {
    submitted_at: submitted_at instanceof Date ? time(submitted_at) : null,
    collected_at: collected_at instanceof Date ? time(collected_at) : null,
    plugins_submitted_at: arrived instanceof Date ? time(arrived) : null,
    suspended: flag(suspended),
    settled: flag(settled),
    ...checksColumns(checks),
  });
  set(engine, 'host_documents', id, {
    plugins: isFields(plugins) ? toText(arrived instanceof Date ? bodies : plugins) : null,
    commands: isFields(commands) ? toText(commands) : null,
    checks: isFields(checks) ? toText(checks) : null,
  });
  if (known !== undefined && isFields(identity)) setIdentity(engine, id, known, identity);
}

/** @returns the new host's row */
export function addHost(engine: Engine, hostname: string, other = '{}'): number {
  const row = engine.get('INSERT INTO hosts (hostname) VALUES (?) RETURNING id', hostname);
  if (row === undefined) throw new Error('cannot tell the new row');
  const id = integer(row, 'id');
  engine.run('INSERT INTO host_documents (host, other) VALUES (?, ?)', id, other);
  return id;
}

/** @param document the identity in portable form, for fields of it that we do not know */
export function setIdentity(engine: Engine, id: number, identity: Identity, document?: Fields): void {
  const { host_id, keys, claimed_hostname, lost_at, sequence, epoch, last, digest, list, ...rest } =
    document ?? escapeFields(identityFields(identity));
  set(engine, 'hosts', id, {
    host_id: identity.host_id,
    claimed_hostname: identity.claimed_hostname ?? null,
    lost_at: time(identity.lost_at),
    sequence: identity.sequence,
    epoch: identity.epoch,
    submission: identity.last?.submission ?? null,
    chain: identity.last?.chain ?? null,
    answered_at: time(identity.last?.at),
    digest: identity.digest,
  });
  set(engine, 'host_documents', id, { identity: toText(rest), list: writeText({ ...identity.list }) });
  for (const [position, key] of identity.keys.entries()) addKey(engine, id, position, key);
}

export function addKey(engine: Engine, host: number, position: number, key: HostKey): void {
  engine.run(
    `INSERT INTO host_keys (key_id, host, position, public_key, added_at, ends_at, replaces, revoked_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    key.id,
    host,
    position,
    key.public_key,
    time(key.added_at),
    time(key.ends_at),
    key.replaces ?? null,
    time(key.revoked_at),
  );
}

/** The columns that say when the checks are to be looked at again. */
export function checksColumns(checks: Value | undefined): Record<string, Bindable> {
  if (!isFields(checks)) return { checks_version: null, checks_evaluated_at: null, checks_deadline_at: null };
  const { version, evaluated_at, deadline_at } = checks;
  return {
    checks_version: typeof version === 'string' ? version : null,
    checks_evaluated_at: evaluated_at instanceof Date ? time(evaluated_at) : null,
    checks_deadline_at: deadline_at instanceof Date ? time(deadline_at) : null,
  };
}

/** Sets columns of one row. Their names are ours, never a caller's. */
export function set(
  engine: Engine,
  table: 'hosts' | 'host_documents',
  id: number,
  columns: Record<string, Bindable>,
): void {
  const names = Object.keys(columns);
  const key = table === 'hosts' ? 'id' : 'host';
  engine.run(
    `UPDATE ${table} SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE ${key} = ?`,
    ...Object.values(columns),
    id,
  );
}

function leftOver(name: string, value: Value | undefined, fits: boolean): Fields {
  return value === undefined || fits ? {} : { [name]: value };
}

function flag(value: Value | undefined): number | null {
  return typeof value === 'boolean' ? Number(value) : null;
}
