import type { Patch, PatchRecord } from '../../core/patch.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { fromText, plainFields, toText } from '../portable.ts';
import { objectIdOf, patchFields, patchOf, patchRecordOf, strings, withoutContent } from '../records.ts';
import type { Engine, Row } from './engine.ts';
import { text } from './row.ts';

/** In the column `completed`, beside 0 and 1. */
const CANCELLED = 2;

export function pendingPatches(engine: Engine, hostname: string): Patch[] {
  return engine
    .all(
      'SELECT * FROM patches WHERE id IN (SELECT patch FROM patch_hosts WHERE hostname = ? AND completed = 0) ORDER BY id',
      hostname,
    )
    .map((row) => patchOf(text(row, 'id'), plainFields(patchDocument(engine, row))));
}

export function findPatch(engine: Engine, id: string): PatchRecord | undefined {
  const row = engine.get('SELECT * FROM patches WHERE id = ?', id);
  return row && patchRecordOf(id, plainFields(patchDocument(engine, row)));
}

export function* listPatches(
  engine: Engine,
  { path, limit = -1 }: { path?: string; limit?: number },
): Generator<PatchRecord> {
  const touching = path === undefined ? '' : 'WHERE id IN (SELECT patch FROM patch_files WHERE path = ?)';
  const values = path === undefined ? [limit] : [path, limit];
  for (const row of engine.all(`SELECT id FROM patches ${touching} ORDER BY id DESC LIMIT ?`, ...values)) {
    const patch = findPatch(engine, text(row, 'id'));
    if (patch !== undefined) yield withoutContent(patch);
  }
}

export function insertPatch(engine: Engine, patch: PatchRecord): boolean {
  return engine.transaction(() => {
    if (engine.get('SELECT 1 FROM patches WHERE id = ?', patch.id) !== undefined) return false;
    addPatch(engine, { _id: { $oid: patch.id }, ...patchFields(patch) });
    return true;
  });
}

export function cancelPatch(engine: Engine, id: string): string[] | undefined {
  return engine.transaction(() => {
    const patch = findPatch(engine, id);
    if (patch === undefined) return undefined;
    engine.run(`UPDATE OR REPLACE patch_hosts SET completed = ${CANCELLED} WHERE patch = ? AND completed = 0`, id);
    return patch.pending_hosts;
  });
}

export function acknowledgePatch(engine: Engine, id: string, hostname: string): boolean {
  return engine.transaction(() => {
    if (engine.get('SELECT 1 FROM patches WHERE id = ?', id) === undefined) return false;
    const pending = 'DELETE FROM patch_hosts WHERE patch = ? AND hostname = ? AND completed <> 1';
    if (engine.run(pending, id, hostname) > 0) addHosts(engine, id, [hostname], 1);
    return true;
  });
}

export function pendingHosts(engine: Engine): string[] {
  return engine
    .all('SELECT DISTINCT hostname FROM patch_hosts WHERE completed = 0 ORDER BY hostname')
    .map((row) => text(row, 'hostname'));
}

export function dropUnknownHosts(engine: Engine): void {
  engine.run('DELETE FROM patch_hosts WHERE completed = 0 AND hostname NOT IN (SELECT hostname FROM hosts)');
}

/** @param document in portable form */
export function addPatch(engine: Engine, document: Fields): void {
  const { _id, pending_hosts, completed_hosts, cancelled_hosts, ...rest } = document;
  const id = objectIdOf(_id);
  if (id === undefined) throw new TypeError('expected an ObjectId as _id in a document of patches');
  engine.run('INSERT INTO patches (id, document) VALUES (?, ?)', id, toText(rest));
  addHosts(engine, id, strings(pending_hosts), 0);
  addHosts(engine, id, strings(completed_hosts), 1);
  addHosts(engine, id, strings(cancelled_hosts), CANCELLED);
  for (const { path } of patchOf(id, rest).files) {
    engine.run('INSERT INTO patch_files (patch, path) VALUES (?, ?) ON CONFLICT DO NOTHING', id, path);
  }
}

/** In portable form. */
export function patchDocument(engine: Engine, row: Row): Fields {
  const id = text(row, 'id');
  const rest = fromText(text(row, 'document'));
  const hosts = (completed: number) =>
    engine
      .all('SELECT hostname FROM patch_hosts WHERE patch = ? AND completed = ? ORDER BY id', id, completed)
      .map((host) => text(host, 'hostname'));
  const cancelled = hosts(CANCELLED);
  return {
    ...(isFields(rest) ? rest : {}),
    _id: { $oid: id },
    pending_hosts: hosts(0),
    completed_hosts: hosts(1),
    ...(cancelled.length === 0 ? {} : { cancelled_hosts: cancelled }),
  };
}

function addHosts(engine: Engine, patch: string, hostnames: string[], completed: number): void {
  for (const hostname of hostnames) {
    engine.run(
      'INSERT INTO patch_hosts (patch, hostname, completed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
      patch,
      hostname,
      completed,
    );
  }
}
