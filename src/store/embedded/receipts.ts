import type { HostId } from '../../core/host.ts';
import type { ReceiptsHead } from '../../core/order.ts';
import type { Fields } from '../../core/value.ts';
import { NO_RECEIPTS } from '../../wire/v2/receipt.ts';
import { dateAt } from '../host-document.ts';
import type { Engine, Row } from './engine.ts';
import { integer, optionalDate, text, time } from './row.ts';

export function findReceipts(engine: Engine, host_id: HostId): (ReceiptsHead & { broken_at?: Date }) | undefined {
  const row = engine.get('SELECT * FROM receipts WHERE host_id = ?', host_id);
  if (row === undefined) return undefined;
  const broken_at = optionalDate(row, 'broken_at');
  return { number: integer(row, 'number'), hash: text(row, 'hash'), ...(broken_at && { broken_at }) };
}

export function moveReceipts(engine: Engine, host_id: HostId, from: ReceiptsHead | null, to: ReceiptsHead): boolean {
  return engine.transaction(() => {
    if (from === null) startChain(engine, host_id);
    const { number, hash } = from ?? NO_RECEIPTS;
    return (
      engine.run(
        'UPDATE receipts SET number = ?, hash = ? WHERE host_id = ? AND number = ? AND hash = ?',
        ...[to.number, to.hash, host_id, number, hash],
      ) > 0
    );
  });
}

export function breakReceipts(engine: Engine, host_id: HostId, at: Date | null): void {
  engine.transaction(() => {
    if (at === null) engine.run('UPDATE receipts SET broken_at = NULL WHERE host_id = ?', host_id);
    else {
      startChain(engine, host_id);
      engine.run('UPDATE receipts SET broken_at = coalesce(broken_at, ?) WHERE host_id = ?', time(at), host_id);
    }
  });
}

function startChain(engine: Engine, host_id: HostId): void {
  const { number, hash } = NO_RECEIPTS;
  engine.run(
    'INSERT INTO receipts (host_id, number, hash) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
    host_id,
    number,
    hash,
  );
}

/** In portable form; likewise below. */
export function receiptsDocument(row: Row): Fields {
  const broken_at = optionalDate(row, 'broken_at');
  return {
    host_id: text(row, 'host_id'),
    number: integer(row, 'number'),
    hash: text(row, 'hash'),
    ...(broken_at && { broken_at }),
  };
}

export const fitsReceipts = ({ host_id, number, hash }: Fields) =>
  typeof host_id === 'string' && typeof number === 'number' && typeof hash === 'string';

export function addReceiptsDocument(engine: Engine, document: Fields): void {
  const { host_id, number, hash } = document;
  if (typeof host_id !== 'string' || typeof number !== 'number' || typeof hash !== 'string') return;
  engine.run(
    'INSERT INTO receipts (host_id, number, hash, broken_at) VALUES (?, ?, ?, ?)',
    ...[host_id, number, hash, time(dateAt(document, 'broken_at'))],
  );
}
