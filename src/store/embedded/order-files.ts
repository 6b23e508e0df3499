import type { Fields } from '../../core/value.ts';
import { dateAt } from '../host-document.ts';
import { FILES_STAY, FILES_WAIT, joinPieces, spanOf } from '../order-file.ts';
import type { Engine, Row } from './engine.ts';
import { date, integer, text, time } from './row.ts';

/** @returns whether it is there; it is then kept for whoever is to name it */
export function keepOrderFile(engine: Engine, sha256: string, at: Date): boolean {
  return engine.run('UPDATE order_files SET put_at = max(put_at, ?) WHERE sha256 = ?', time(at), sha256) > 0;
}

export function putOrderFile(
  engine: Engine,
  { sha256, size }: { sha256: string; size: number },
  pieces: readonly string[],
  at: Date,
): void {
  engine.transaction(() => {
    if (keepOrderFile(engine, sha256, at)) return;
    engine.run('INSERT INTO order_files (sha256, size, put_at) VALUES (?, ?, ?)', sha256, size, time(at));
    for (const [position, content] of pieces.entries()) addPiece(engine, sha256, position, content);
  });
}

export function readOrderFile(engine: Engine, sha256: string, offset: number, length: number): Uint8Array | undefined {
  const file = engine.get('SELECT size FROM order_files WHERE sha256 = ?', sha256);
  if (file === undefined) return undefined;
  const span = spanOf(integer(file, 'size'), offset, length);
  const sql =
    'SELECT content FROM order_file_pieces WHERE sha256 = ? AND position >= ? AND position < ? ORDER BY position';
  const pieces = engine.all(sql, sha256, span.first, span.last).map((row) => text(row, 'content'));
  return joinPieces(pieces, span);
}

export function expireOrders(engine: Engine, at: Date): number {
  return engine.transaction(() => {
    const queued = `WHERE state = 'queued' AND order_id IN (SELECT id FROM orders WHERE expires_at <= ?)`;
    engine.run(`UPDATE order_targets SET state = 'fetched', at = ? ${queued} AND given = 1`, time(at), time(at));
    const expired = engine.run(`UPDATE order_targets SET state = 'expired', at = ? ${queued}`, time(at), time(at));
    const gone = engine.run(
      `DELETE FROM order_files WHERE put_at < ? AND sha256 NOT IN
         (SELECT json_extract(value, '$.sha256') FROM orders, json_each(orders.files) WHERE expires_at > ?)`,
      at.getTime() - FILES_WAIT,
      at.getTime() - FILES_STAY,
    );
    if (gone > 0) {
      engine.run('DELETE FROM order_file_pieces WHERE sha256 NOT IN (SELECT sha256 FROM order_files)');
    }
    return expired;
  });
}

/** In portable form; likewise below. */
export function fileDocument(row: Row): Fields {
  return { sha256: text(row, 'sha256'), size: integer(row, 'size'), put_at: date(row, 'put_at') };
}

export function pieceDocument(row: Row): Fields {
  return { sha256: text(row, 'sha256'), position: integer(row, 'position'), content: text(row, 'content') };
}

export const fitsFile = ({ sha256, size }: Fields) => typeof sha256 === 'string' && typeof size === 'number';

export function addFileDocument(engine: Engine, document: Fields): void {
  const { sha256, size } = document;
  if (typeof sha256 !== 'string' || typeof size !== 'number') return;
  const put_at = time(dateAt(document, 'put_at') ?? new Date(0));
  engine.run('INSERT INTO order_files (sha256, size, put_at) VALUES (?, ?, ?)', sha256, size, put_at);
}

export const fitsPiece = ({ sha256, position, content }: Fields) =>
  typeof sha256 === 'string' && typeof position === 'number' && typeof content === 'string';

export function addPieceDocument(engine: Engine, { sha256, position, content }: Fields): void {
  if (typeof sha256 !== 'string' || typeof position !== 'number' || typeof content !== 'string') return;
  addPiece(engine, sha256, position, content);
}

function addPiece(engine: Engine, sha256: string, position: number, content: string): void {
  engine.run('INSERT INTO order_file_pieces (sha256, position, content) VALUES (?, ?, ?)', sha256, position, content);
}
