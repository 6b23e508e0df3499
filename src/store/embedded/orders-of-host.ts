import { UNSETTLED } from '../../core/order.ts';
import type { Engine } from './engine.ts';
import { time } from './row.ts';

const PENDING = `state IN (${UNSETTLED.map((state) => `'${state}'`).join(', ')})`;

/** Of a host that is forgotten: nobody is left who could fetch or report. */
export function endOrders(engine: Engine, host_id: string, at: Date): void {
  engine.run(
    `UPDATE order_targets SET state = 'cancelled', at = ? WHERE host_id = ? AND ${PENDING}`,
    time(at),
    host_id,
  );
  engine.run('DELETE FROM receipts WHERE host_id = ?', host_id);
}

/**
 * Of a host whose place another machine takes. What was to become of the former machine alone must not befall this one; the rest it is to
 * have, the release that the former one has installed, too. Its chain of receipts is its own.
 */
export function handOverOrders(engine: Engine, host_id: string, at: Date): void {
  const of = (kinds: string) => `order_id IN (SELECT id FROM orders WHERE kind IN (${kinds}))`;
  const set = 'UPDATE order_targets SET given = 0, state = ?, at = ? WHERE host_id = ?';
  engine.run(`${set} AND ${PENDING} AND ${of("'wipe', 'unlock'")}`, 'cancelled', time(at), host_id);
  engine.run(`${set} AND ${PENDING}`, 'queued', time(at), host_id);
  engine.run(`DELETE FROM order_targets WHERE host_id = ? AND ${of("'release'")}`, host_id);
  engine.run('UPDATE order_targets SET number = NULL WHERE host_id = ?', host_id);
  engine.run('DELETE FROM receipts WHERE host_id = ?', host_id);
}
