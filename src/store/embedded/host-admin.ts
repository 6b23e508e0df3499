import type { Identity, KeyId } from '../../core/host.ts';
import type { Engine } from './engine.ts';
import { endOrders } from './orders-of-host.ts';
import { forgetParameters } from './parameters.ts';
import type { ChecksRow } from './prepare.ts';
import { findHost, namesakes } from './read-host.ts';
import { storeChecks } from './reports.ts';
import { integer, optionalText, time } from './row.ts';
import { addHost, setIdentity } from './write-host.ts';

export function attach(engine: Engine, hostname: string, identity: Identity, options: { adopt: boolean }): boolean {
  return engine.transaction(() => {
    const [host, another] = namesakes(engine, hostname);
    if (host?.host_id !== undefined) return isSame(findHost(engine, host.hostname)?.identity, identity);
    if (another !== undefined || (host !== undefined && !options.adopt)) return false;
    if (isTaken(engine, identity)) return false;
    setIdentity(engine, host === undefined ? addHost(engine, hostname) : rowOf(engine, host.hostname), identity);
    return true;
  });
}

/** Attaching again after a crash is no conflict. */
function isSame(known: Identity | undefined, identity: Identity): boolean {
  return (
    known?.host_id === identity.host_id && identity.keys.every(({ id }) => known.keys.some((key) => key.id === id))
  );
}

function isTaken(engine: Engine, identity: Identity): boolean {
  return (
    engine.get('SELECT 1 FROM hosts WHERE host_id = ?', identity.host_id) !== undefined ||
    identity.keys.some(({ id }) => engine.get('SELECT 1 FROM host_keys WHERE key_id = ?', id) !== undefined)
  );
}

function rowOf(engine: Engine, hostname: string): number {
  const row = engine.get('SELECT id FROM hosts WHERE hostname = ?', hostname);
  if (row === undefined) throw new Error(`cannot find the row of ${hostname}`);
  return integer(row, 'id');
}

export function markLost(engine: Engine, hostname: string, since: Date | undefined): boolean {
  const sql =
    since === undefined
      ? 'UPDATE hosts SET lost_at = ? WHERE hostname = ? AND host_id IS NOT NULL'
      : 'UPDATE hosts SET lost_at = coalesce(lost_at, ?) WHERE hostname = ? AND host_id IS NOT NULL';
  return engine.run(sql, time(since), hostname) > 0;
}

/** The first revocation's time stays. */
export function revokeKey(engine: Engine, key: KeyId, at: Date): boolean {
  return engine.run('UPDATE host_keys SET revoked_at = coalesce(revoked_at, ?) WHERE key_id = ?', time(at), key) > 0;
}

export function saveJudgement(
  engine: Engine,
  hostname: string,
  submitted_at: Date | undefined,
  checks: ChecksRow,
): boolean {
  return engine.transaction(() => {
    const row = engine.get(
      'SELECT id FROM hosts WHERE hostname = ? AND submitted_at IS ?',
      hostname,
      time(submitted_at),
    );
    if (row === undefined) return false;
    storeChecks(engine, integer(row, 'id'), checks);
    return true;
  });
}

export function settle(engine: Engine, hostname: string, evaluated_at: Date): boolean {
  return (
    engine.run(
      'UPDATE hosts SET settled = 1 WHERE hostname = ? AND checks_evaluated_at = ?',
      hostname,
      time(evaluated_at),
    ) > 0
  );
}

export function suspend(engine: Engine, hostname: string, suspended: boolean): boolean {
  return engine.run('UPDATE hosts SET suspended = ? WHERE hostname = ?', suspended ? 1 : null, hostname) > 0;
}

export function forget(engine: Engine, hostname: string, at: Date): boolean {
  return engine.transaction(() => {
    const row = engine.get('DELETE FROM hosts WHERE hostname = ? RETURNING id, host_id', hostname);
    if (row === undefined) return false;
    const id = integer(row, 'id');
    engine.run('DELETE FROM host_documents WHERE host = ?', id);
    engine.run('DELETE FROM host_keys WHERE host = ?', id);
    engine.run('DELETE FROM patch_hosts WHERE hostname = ? AND completed = 0', hostname);
    engine.run('DELETE FROM outbox WHERE hostname = ? AND delivered_at IS NULL', hostname);
    forgetParameters(engine, hostname, at);
    const host_id = optionalText(row, 'host_id');
    if (host_id !== undefined) endOrders(engine, host_id, at);
    engine.run(
      'UPDATE issues SET closed_at = ?, open = NULL WHERE hostname = ? AND closed_at IS NULL',
      time(at),
      hostname,
    );
    return true;
  });
}
