import type { StoreState } from '../port.ts';
import type { Engine } from './engine.ts';
import { text } from './row.ts';

export function readState(engine: Engine): StoreState {
  const values = new Map(
    engine.all('SELECT key, value FROM meta').map((row) => [text(row, 'key'), text(row, 'value')]),
  );
  const epoch = values.get('epoch');
  if (epoch === undefined) throw new Error("cannot find the store's epoch");
  const since = values.get('maintenance_since');
  return { epoch, ...(since === undefined ? {} : { maintenance_since: new Date(since) }) };
}

export function setMaintenance(engine: Engine, since: Date | undefined): void {
  if (since === undefined) engine.run(`DELETE FROM meta WHERE key = 'maintenance_since'`);
  else setMeta(engine, 'maintenance_since', since.toISOString());
}

export function setEpoch(engine: Engine, epoch: string): void {
  setMeta(engine, 'epoch', epoch);
}

function setMeta(engine: Engine, key: 'epoch' | 'maintenance_since', value: string): void {
  engine.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value', key, value);
}
