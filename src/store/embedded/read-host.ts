import type { Host, HostId, Identity, KeyId } from '../../core/host.ts';
import { type Fields, isFields, setField, type Value } from '../../core/value.ts';
import { hostOf, withIdentity } from '../host-document.ts';
import type { HeldKey, Namesake } from '../port.ts';
import { fromText, readText } from '../portable.ts';
import type { Bindable, Engine, Row } from './engine.ts';
import { date, integer, optionalDate, optionalInteger, optionalText, text } from './row.ts';

/** The whole host in one statement: nobody else's write can fall between its parts. */
const KEYS = `SELECT json_group_array(json_array(key_id, public_key, added_at, ends_at, replaces, revoked_at) ORDER BY position)
  FROM host_keys WHERE host_keys.host = hosts.id`;
const SELECT = `SELECT hostname, host_id, claimed_hostname, lost_at, sequence, epoch, submission, chain, answered_at, digest,
  submitted_at, plugins_submitted_at, collected_at, suspended, settled, identity, list, plugins, commands, checks, other, (${KEYS}) AS keys
  FROM hosts JOIN host_documents ON host_documents.host = hosts.id`;

/** How the documents among the columns become values: as the product sees them, or in portable form. */
type Reader = (text: string) => Value;

export function findHost(engine: Engine, hostname: string): Host | undefined {
  return oneHost(engine, 'hosts.hostname = ?', hostname);
}

export function namesakes(engine: Engine, hostname: string): Namesake[] {
  return engine
    .all(
      'SELECT hostname, host_id FROM hosts WHERE hostname = ? COLLATE NOCASE ORDER BY host_id IS NULL, hostname',
      hostname,
    )
    .map((row) => {
      const host_id = optionalText(row, 'host_id');
      return { hostname: text(row, 'hostname'), ...(host_id !== undefined && { host_id: host_id as HostId }) };
    });
}

export function findHostById(engine: Engine, id: HostId): Host | undefined {
  return oneHost(engine, 'hosts.host_id = ?', id);
}

export function findHostByKey(engine: Engine, key: KeyId): (Host & { identity: Identity }) | undefined {
  return withIdentity(oneHost(engine, 'hosts.id = (SELECT host FROM host_keys WHERE key_id = ?)', key));
}

export function findKey(engine: Engine, key: KeyId): { public_key: string; hostname: string } | undefined {
  const row = engine.get(
    'SELECT public_key, hostname FROM host_keys JOIN hosts ON hosts.id = host_keys.host WHERE key_id = ?',
    key,
  );
  return row && { public_key: text(row, 'public_key'), hostname: text(row, 'hostname') };
}

/** At most `limit` keys whose ids come after `after`, by id. */
export function pageOfKeys(engine: Engine, { after, limit }: { after: string; limit: number }): HeldKey[] {
  return engine
    .all(
      'SELECT key_id, public_key, hostname FROM host_keys JOIN hosts ON hosts.id = host_keys.host WHERE key_id > ? ORDER BY key_id LIMIT ?',
      after,
      limit,
    )
    .map((row) => ({
      key_id: text(row, 'key_id') as KeyId,
      public_key: text(row, 'public_key'),
      hostname: text(row, 'hostname'),
    }));
}

/** At most `limit` hosts whose names come after `after`, by name. */
export function pageOfHosts(
  engine: Engine,
  page: { after: string; limit: number; where: string; values: Bindable[]; portable?: true },
): { hostname: string; document: Fields }[] {
  const reader = page.portable ? fromText : readText;
  return engine
    .all(
      `${SELECT} WHERE hosts.hostname > ? AND (${page.where}) ORDER BY hosts.hostname LIMIT ?`,
      page.after,
      ...page.values,
      page.limit,
    )
    .map((row) => ({ hostname: text(row, 'hostname'), document: hostDocument(row, reader) }));
}

function oneHost(engine: Engine, where: string, value: Bindable): Host | undefined {
  const row = engine.get(`${SELECT} WHERE ${where}`, value);
  return row === undefined ? undefined : hostOf(hostDocument(row, readText));
}

/** Puts a host's document together again; write-host.ts takes it apart. */
function hostDocument(row: Row, reader: Reader): Fields {
  const document = fields(row, 'other', reader) ?? {};
  setField(document, 'hostname', text(row, 'hostname'));
  const plugins = fields(row, 'plugins', reader);
  const arrived = optionalDate(row, 'plugins_submitted_at');
  if (arrived !== undefined) document['plugins'] = { ...plugins, submitted_at: arrived };
  else if (plugins !== undefined) document['plugins'] = plugins;
  for (const name of ['commands', 'checks']) {
    const part = fields(row, name, reader);
    if (part !== undefined) document[name] = part;
  }
  for (const name of ['submitted_at', 'collected_at']) {
    const at = optionalDate(row, name);
    if (at !== undefined) document[name] = at;
  }
  for (const name of ['suspended', 'settled']) {
    const flag = optionalInteger(row, name);
    if (flag !== undefined) document[name] = flag === 1;
  }
  const identity = fields(row, 'identity', reader);
  if (identity !== undefined) document['identity'] = identityDocument(row, identity, reader);
  return document;
}

function identityDocument(row: Row, identity: Fields, reader: Reader): Fields {
  const submission = optionalText(row, 'submission');
  const last: Value =
    submission === undefined ? null : { submission, chain: text(row, 'chain'), at: date(row, 'answered_at') };
  const claimed = optionalText(row, 'claimed_hostname');
  const lost_at = optionalDate(row, 'lost_at');
  return {
    ...identity,
    ...(claimed === undefined ? {} : { claimed_hostname: claimed }),
    ...(lost_at === undefined ? {} : { lost_at }),
    host_id: text(row, 'host_id'),
    keys: keyDocuments(fromText(text(row, 'keys'))),
    sequence: integer(row, 'sequence'),
    epoch: optionalText(row, 'epoch') ?? null,
    last,
    digest: optionalText(row, 'digest') ?? null,
    list: fields(row, 'list', reader) ?? {},
  };
}

/** As KEYS has them. */
function keyDocuments(rows: Value): Fields[] {
  return (Array.isArray(rows) ? rows : []).flatMap((row) => {
    const [id, public_key, added_at, ends_at, replaces, revoked_at] = Array.isArray(row) ? row : [];
    if (typeof id !== 'string' || typeof public_key !== 'string' || typeof added_at !== 'number') return [];
    return {
      id,
      public_key,
      added_at: new Date(added_at),
      ...(typeof ends_at === 'number' && { ends_at: new Date(ends_at) }),
      ...(typeof replaces === 'string' && { replaces }),
      ...(typeof revoked_at === 'number' && { revoked_at: new Date(revoked_at) }),
    };
  });
}

function fields(row: Row, column: string, reader: Reader): Fields | undefined {
  const written = optionalText(row, column);
  if (written === undefined) return undefined;
  const value = reader(written);
  return isFields(value) ? value : undefined;
}
