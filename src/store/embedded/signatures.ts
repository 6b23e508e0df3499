import type { Engine } from './engine.ts';
import { time } from './row.ts';

export function rememberSignature(engine: Engine, id: string, expires_at: Date, now: Date): boolean {
  return (
    engine.run(
      `INSERT INTO signatures (id, expires_at) VALUES (?, ?)
       ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at WHERE signatures.expires_at <= ?`,
      id,
      time(expires_at),
      time(now),
    ) > 0
  );
}

export function knowsSignature(engine: Engine, id: string, now: Date): boolean {
  return engine.get('SELECT 1 FROM signatures WHERE id = ? AND expires_at > ?', id, time(now)) !== undefined;
}

export function expireSignatures(engine: Engine, at: Date): void {
  engine.run('DELETE FROM signatures WHERE expires_at <= ?', time(at));
}
