import type { HostId } from '../../core/host.ts';
import { isFields } from '../../core/value.ts';
import type { Newcomer } from '../port.ts';
import { fromText, toText } from '../portable.ts';
import type { Engine } from './engine.ts';
import { handOverOrders } from './orders-of-host.ts';
import { integer, optionalDate, text, time } from './row.ts';
import { addKey, set } from './write-host.ts';

export function replace(engine: Engine, hostname: string, newcomer: Newcomer, at: Date): boolean {
  return engine.transaction(() => {
    const id = rowOf(engine, hostname, newcomer.host_id);
    if (id === undefined) return false;
    const known = engine.get('SELECT host, revoked_at FROM host_keys WHERE key_id = ?', newcomer.key.id);
    if (known !== undefined) return integer(known, 'host') === id && optionalDate(known, 'revoked_at') === undefined;
    engine.run('UPDATE host_keys SET revoked_at = coalesce(revoked_at, ?) WHERE host = ?', time(at), id);
    const last = engine.get('SELECT max(position) AS position FROM host_keys WHERE host = ?', id);
    addKey(engine, id, last === undefined ? 0 : integer(last, 'position') + 1, newcomer.key);
    set(engine, 'hosts', id, { sequence: newcomer.sequence, lost_at: null, ...NO_CHAIN });
    setMachine(engine, id, newcomer);
    handOverOrders(engine, newcomer.host_id, at);
    return true;
  });
}

export function clearChain(engine: Engine, hostname: string, host_id: HostId): boolean {
  return engine.transaction(() => {
    const id = rowOf(engine, hostname, host_id);
    if (id === undefined) return false;
    set(engine, 'hosts', id, NO_CHAIN);
    return true;
  });
}

const NO_CHAIN = { submission: null, chain: null, answered_at: null, epoch: null };

function rowOf(engine: Engine, hostname: string, host_id: HostId): number | undefined {
  const row = engine.get('SELECT id FROM hosts WHERE hostname = ? AND host_id = ?', hostname, host_id);
  return row === undefined ? undefined : integer(row, 'id');
}

function setMachine(engine: Engine, id: number, { machine_id_digest, pattern }: Newcomer): void {
  const row = engine.get('SELECT identity FROM host_documents WHERE host = ?', id);
  if (row === undefined) throw new Error('cannot find the document of a host');
  const identity = fromText(text(row, 'identity'));
  const { machine_id_digest: _, pattern: __, ...rest } = isFields(identity) ? identity : {};
  set(engine, 'host_documents', id, {
    identity: toText({
      ...rest,
      ...(machine_id_digest === undefined ? {} : { machine_id_digest }),
      ...(pattern === undefined ? {} : { pattern }),
    }),
  });
}
