import type { HostId } from '../../core/host.ts';
import {
  ORDER_STATES,
  type Order,
  type OrderReport,
  type OrderState,
  type OrderTarget,
  UNSETTLED,
} from '../../core/order.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { MOST_SIGNATURES } from '../../wire/v2/order.ts';
import { textAt } from '../host-document.ts';
import { orderFields, orderOf, orderReportFields, orderTargetOf, SETTLED_BY_HOST } from '../order-records.ts';
import type { OrderTargetFilter, PendingOrder } from '../port.ts';
import { fromText, plainFields, toText, writeText } from '../portable.ts';
import type { Engine, Row } from './engine.ts';
import { date, integer, optionalDate, optionalInteger, optionalText, text, time } from './row.ts';

const AMONG = 'IN (SELECT value FROM json_each(?))';
const list = (values: readonly string[]) => values.map((value) => `'${value}'`).join(', ');
const HOST_SETTLED = list(SETTLED_BY_HOST);

/** The unique indexes are the guard: of the id, and of a release's number. */
export function insertOrder(
  engine: Engine,
  order: Order,
  targets: readonly Pick<OrderTarget, 'host_id' | 'hostname'>[],
): boolean {
  return engine.transaction(() => {
    if (!addOrder(engine, order, 'ON CONFLICT DO NOTHING')) return false;
    const add = `INSERT INTO order_targets (order_id, host_id, hostname, state, at) VALUES (?, ?, ?, 'queued', ?) ON CONFLICT DO NOTHING`;
    for (const { host_id, hostname } of targets) engine.run(add, order.id, host_id, hostname, time(order.made_at));
    return true;
  });
}

export function findOrder(engine: Engine, id: string): Order | undefined {
  const row = engine.get('SELECT * FROM orders WHERE id = ?', id);
  return row === undefined ? undefined : readOrder(row);
}

/** A page of orders, newest first, from behind the one named. */
export function pageOfOrders(
  engine: Engine,
  kinds: readonly string[] | undefined,
  before: { made_at: number; id: string },
  limit: number,
): (Order & { counts: Partial<Record<OrderState, number>> })[] {
  const where = `(made_at, id) < (?, ?) AND (? IS NULL OR kind ${AMONG})`;
  const wanted = kinds === undefined ? null : JSON.stringify(kinds);
  return engine
    .all(
      `SELECT * FROM orders WHERE ${where} ORDER BY made_at DESC, id DESC LIMIT ?`,
      ...[before.made_at, before.id, wanted, wanted ?? '[]', limit],
    )
    .map((row) => ({ ...readOrder(row), counts: countsOf(engine, text(row, 'id')) }));
}

function countsOf(engine: Engine, id: string): Partial<Record<OrderState, number>> {
  const counts: Partial<Record<OrderState, number>> = {};
  const sql = 'SELECT state, count(*) AS number FROM order_targets WHERE order_id = ? GROUP BY state';
  for (const row of engine.all(sql, id)) {
    const state = ORDER_STATES.find((each) => each === text(row, 'state'));
    if (state !== undefined) counts[state] = integer(row, 'number');
  }
  return counts;
}

export function pageOfTargets(
  engine: Engine,
  { order, host_id, states }: OrderTargetFilter,
  after: { hostname: string; order: string; host_id: string },
  limit: number,
): OrderTarget[] {
  const conditions = [
    ...(order === undefined ? [] : [{ sql: 'order_id = ?', value: order }]),
    ...(host_id === undefined ? [] : [{ sql: 'host_id = ?', value: host_id }]),
    ...(states === undefined ? [] : [{ sql: `state ${AMONG}`, value: JSON.stringify(states) }]),
  ];
  const where = ['(hostname, order_id, host_id) > (?, ?, ?)', ...conditions.map(({ sql }) => sql)].join(' AND ');
  return engine
    .all(
      `SELECT * FROM order_targets WHERE ${where} ORDER BY hostname, order_id, host_id LIMIT ?`,
      ...[after.hostname, after.order, after.host_id, ...conditions.map(({ value }) => value), limit],
    )
    .map(readTarget);
}

export function pendingOrders(
  engine: Engine,
  { host_id, release }: { host_id: HostId; release: number },
  at: Date,
): PendingOrder[] {
  const counts = 'cancelled_at IS NULL AND expires_at > ?';
  const named = engine.all(
    `SELECT orders.*, state FROM order_targets JOIN orders ON orders.id = order_id
       WHERE host_id = ? AND state IN (${list(UNSETTLED)}) AND kind <> 'release' AND ${counts}`,
    host_id,
    time(at),
  );
  const newest = engine.all(
    `SELECT orders.*, state FROM orders LEFT JOIN order_targets ON order_id = orders.id AND host_id = ?
       WHERE release = (SELECT max(release) FROM orders WHERE cancelled_at IS NULL) AND release > ? AND ${counts}
         AND coalesce(state, 'queued') IN (${list(UNSETTLED)})`,
    host_id,
    release,
    time(at),
  );
  return [...named, ...newest]
    .map((row) => ({ ...readOrder(row), queued: (optionalText(row, 'state') ?? 'queued') === 'queued' }))
    .sort((a, b) => a.made_at.getTime() - b.made_at.getTime() || (a.id < b.id ? -1 : 1));
}

export function queuedHosts(engine: Engine, at: Date): Pick<OrderTarget, 'host_id' | 'hostname'>[] {
  const sql = `SELECT DISTINCT host_id, hostname FROM order_targets JOIN orders ON orders.id = order_id
    WHERE state = 'queued' AND cancelled_at IS NULL AND expires_at > ?
      AND (release IS NULL OR release = (SELECT max(release) FROM orders WHERE cancelled_at IS NULL))`;
  return engine.all(sql, time(at)).map((row) => ({
    host_id: text(row, 'host_id') as HostId,
    hostname: text(row, 'hostname'),
  }));
}

export function newestRelease(engine: Engine): number {
  const row = engine.get('SELECT max(release) AS release FROM orders WHERE cancelled_at IS NULL');
  return row === undefined ? 0 : (optionalInteger(row, 'release') ?? 0);
}

export function markFetched(
  engine: Engine,
  ids: readonly string[],
  { host_id, hostname }: Pick<OrderTarget, 'host_id' | 'hostname'>,
  at: Date,
): string[] {
  const these = JSON.stringify(ids);
  return engine.transaction(() => {
    engine.run(
      `UPDATE order_targets SET state = 'fetched', given = 1, at = ? WHERE order_id ${AMONG} AND host_id = ? AND state = 'queued'`,
      time(at),
      these,
      host_id,
    );
    engine.run(
      `INSERT INTO order_targets (order_id, host_id, hostname, state, given, at) SELECT id, ?, ?, 'fetched', 1, ? FROM orders
         WHERE id ${AMONG} AND kind = 'release' AND cancelled_at IS NULL ON CONFLICT DO NOTHING`,
      ...[host_id, hostname, time(at), these],
    );
    return engine
      .all(
        `SELECT order_id FROM order_targets WHERE order_id ${AMONG} AND host_id = ? AND state IN (${list(UNSETTLED)})`,
        these,
        host_id,
      )
      .map((row) => text(row, 'order_id'));
  });
}

export function reportOrder(engine: Engine, host_id: HostId, report: OrderReport): 'kept' | 'before' | 'unknown' {
  return engine.transaction(() => {
    const { order, number, state, at } = report;
    if (engine.get('SELECT 1 FROM order_targets WHERE order_id = ? AND host_id = ?', order, host_id) === undefined) {
      return 'unknown';
    }
    const changed = engine.run(
      `UPDATE order_targets SET at = CASE WHEN state = ? THEN at ELSE ? END, state = ?, given = 1, number = ?, report = ?
         WHERE order_id = ? AND host_id = ? AND coalesce(number, 0) < ? AND state NOT IN (${HOST_SETTLED})`,
      ...[state, time(at), state, number, writeText(orderReportFields(report)), order, host_id, number],
    );
    return changed > 0 ? 'kept' : 'before';
  });
}

export function cancelOrder(engine: Engine, id: string, at: Date): number | undefined {
  return engine.transaction(() => {
    const cancel = 'UPDATE orders SET cancelled_at = coalesce(cancelled_at, ?) WHERE id = ?';
    if (engine.run(cancel, time(at), id) === 0) return undefined;
    const queued = `WHERE order_id = ? AND state = 'queued'`;
    engine.run(`UPDATE order_targets SET state = 'fetched', at = ? ${queued} AND given = 1`, time(at), id);
    return engine.run(`UPDATE order_targets SET state = 'cancelled', at = ? ${queued}`, time(at), id);
  });
}

export function addSignatureToOrder(engine: Engine, id: string, signature: string, at: Date): boolean {
  return engine.transaction(() => {
    const order = findOrder(engine, id);
    if (order === undefined || order.cancelled_at !== undefined || order.expires_at <= at) return false;
    if (order.signatures.includes(signature)) return true;
    if (order.signatures.length >= MOST_SIGNATURES) return false;
    const signatures = JSON.stringify([...order.signatures, signature]);
    engine.run(`UPDATE orders SET document = json_set(document, '$.signatures', json(?)) WHERE id = ?`, signatures, id);
    const again = `UPDATE order_targets SET state = 'queued', at = ? WHERE order_id = ? AND state IN ('fetched', 'waiting')`;
    engine.run(again, time(at), id);
    return true;
  });
}

/** In portable form. */
export function orderDocument(row: Row): Fields {
  const rest = fromText(text(row, 'document'));
  const [release, cancelled_at] = [optionalInteger(row, 'release'), optionalDate(row, 'cancelled_at')];
  return {
    ...(isFields(rest) ? rest : {}),
    id: text(row, 'id'),
    kind: text(row, 'kind'),
    made_at: date(row, 'made_at'),
    expires_at: date(row, 'expires_at'),
    files: fromText(text(row, 'files')),
    ...(release === undefined ? {} : { release }),
    ...(cancelled_at === undefined ? {} : { cancelled_at }),
  };
}

/** In portable form: with what MongoDB's queries need of the order. */
export function targetDocument(row: Row): Fields {
  const [release, number] = [optionalInteger(row, 'release'), optionalInteger(row, 'number')];
  return {
    ...targetFields(row),
    expires_at: date(row, 'expires_at'),
    ...(release === undefined ? {} : { release }),
    ...(number === undefined ? {} : { number }),
    ...(integer(row, 'given') === 1 && { given: true }),
  };
}

function targetFields(row: Row): Fields {
  const report = optionalText(row, 'report');
  return {
    order: text(row, 'order_id'),
    host_id: text(row, 'host_id'),
    hostname: text(row, 'hostname'),
    state: text(row, 'state'),
    at: date(row, 'at'),
    ...(report === undefined ? {} : { report: fromText(report) }),
  };
}

export function addOrderDocument(engine: Engine, document: Fields): void {
  const order = orderOf(plainFields(document));
  if (order !== undefined) addOrder(engine, order);
}

export function addTargetDocument(engine: Engine, document: Fields): void {
  const target = orderTargetOf(plainFields(document));
  if (target === undefined) return;
  const { number, given } = document;
  const { order, host_id, hostname, state, at, report } = target;
  engine.run(
    'INSERT INTO order_targets (order_id, host_id, hostname, state, at, given, number, report) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ...[order, host_id, hostname, state, time(at), given === true ? 1 : 0, typeof number === 'number' ? number : null],
    report === undefined ? null : writeText(orderReportFields(report)),
  );
}

function addOrder(engine: Engine, order: Order, otherwise = ''): boolean {
  const { id, kind, made_at, expires_at, release, cancelled_at, files, ...rest } = orderFields(order);
  return (
    engine.run(
      `INSERT INTO orders (id, kind, made_at, expires_at, release, cancelled_at, files, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ${otherwise}`,
      ...[order.id, order.kind, time(order.made_at), time(order.expires_at), order.release ?? null],
      ...[time(order.cancelled_at), toText(files ?? []), toText(rest)],
    ) > 0
  );
}

function readOrder(row: Row): Order {
  const order = orderOf(plainFields(orderDocument(row)));
  if (order === undefined) throw new TypeError(`expected an order in the row of ${textAt(orderDocument(row), 'id')}`);
  return order;
}

function readTarget(row: Row): OrderTarget {
  const target = orderTargetOf(plainFields(targetFields(row)));
  if (target === undefined) throw new TypeError(`expected a target in a row of order ${text(row, 'order_id')}`);
  return target;
}
