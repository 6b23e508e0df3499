import { CHANNELS, type Channel, type OutboxEntry } from '../../core/delivery.ts';
import { type Fields, isFields } from '../../core/value.ts';
import { outboxEntryOf } from '../outbox-record.ts';
import type { Claim, DueMessage, OutboxFilter, Settlement } from '../port.ts';
import { fromText, plainFields, toText } from '../portable.ts';
import type { Bindable, Engine, Row } from './engine.ts';
import { date, integer, optionalDate, optionalText, text, time } from './row.ts';

/** What the index outbox_waiting holds. */
const WAITS = 'delivered_at IS NULL AND given_up_at IS NULL';
const DUE = `${WAITS} AND next_at <= ? AND (leased_until IS NULL OR leased_until <= ?)`;
const AMONG = 'IN (SELECT value FROM json_each(?))';

/** The primary key is the guard. */
export function addToOutbox(engine: Engine, entries: OutboxEntry[]): number {
  return engine.transaction(() =>
    entries.reduce((sum, entry) => sum + insert(engine, entry, 'ON CONFLICT DO NOTHING'), 0),
  );
}

/** A page of the outbox after the entry named, by age, then key. */
export function pageOfOutbox(
  engine: Engine,
  { delivered }: OutboxFilter,
  after: { created_at: Date; key: string },
  limit: number,
): OutboxEntry[] {
  const where = `(created_at, key) > (?, ?) AND ${delivered ? '1' : 'delivered_at IS NULL'}`;
  return engine
    .all(
      `SELECT * FROM outbox WHERE ${where} ORDER BY created_at, key LIMIT ?`,
      time(after.created_at),
      after.key,
      limit,
    )
    .flatMap(readEntry);
}

export function dueInOutbox(engine: Engine, at: Date): DueMessage[] {
  const sql = `SELECT message, channel, receiver, min(created_at) AS created_at FROM outbox WHERE ${DUE}
    GROUP BY message, channel, receiver ORDER BY 4, 1`;
  return engine.all(sql, time(at), time(at)).map((row) => ({
    message: text(row, 'message'),
    channel: channelIn(row),
    receiver: text(row, 'receiver'),
    created_at: date(row, 'created_at'),
  }));
}

export function claimInOutbox(engine: Engine, messages: string[], { by, at, until }: Claim): OutboxEntry[] {
  const sql = `UPDATE outbox SET claimed_by = ?, leased_until = ? WHERE message ${AMONG} AND ${DUE} RETURNING *`;
  return engine
    .all(sql, by, time(until), JSON.stringify(messages), time(at), time(at))
    .flatMap(readEntry)
    .sort((a, b) => a.created_at.getTime() - b.created_at.getTime() || (a.key < b.key ? -1 : 1));
}

export function settleInOutbox(engine: Engine, by: string, keys: string[], settlement: Settlement): number {
  const { set, values } = changeOf(settlement);
  const sql = `UPDATE outbox SET ${set}, claimed_by = NULL, leased_until = NULL WHERE key ${AMONG} AND claimed_by = ?`;
  return engine.run(sql, ...values, JSON.stringify(keys), by);
}

function changeOf(settlement: Settlement): { set: string; values: Bindable[] } {
  switch (settlement.outcome) {
    case 'delivered':
      return {
        set: 'attempts = attempts + 1, failure = NULL, delivered_at = ?',
        values: [time(settlement.at)],
      };
    case 'failed':
      return {
        set: 'attempts = attempts + 1, failure = ?, next_at = ?',
        values: [settlement.failure, time(settlement.next_at)],
      };
    case 'given-up':
      return {
        set: 'attempts = attempts + 1, failure = ?, given_up_at = ?',
        values: [settlement.failure, time(settlement.at)],
      };
    case 'released':
      return { set: 'attempts = attempts', values: [] };
    default:
      return settlement satisfies never;
  }
}

export function reviveInOutbox(engine: Engine, messages: string[] | undefined, at: Date): number {
  const change = 'UPDATE outbox SET next_at = ?, given_up_at = NULL WHERE delivered_at IS NULL';
  return messages === undefined
    ? engine.run(change, time(at))
    : engine.run(`${change} AND message ${AMONG}`, time(at), JSON.stringify(messages));
}

export function expireOutbox(engine: Engine, before: Date): void {
  engine.run('DELETE FROM outbox WHERE delivered_at < ? OR given_up_at < ?', time(before), time(before));
}

/** @param document in portable form */
export function addOutboxDocument(engine: Engine, document: Fields): void {
  const entry = outboxEntryOf(plainFields(document));
  if (entry === undefined) throw new TypeError('expected an entry of the outbox in a document of outbox');
  insert(engine, entry);
}

/** In portable form; without the claim, which is a running sender's. */
export function outboxDocument(row: Row): Fields {
  const rest = fromText(text(row, 'document'));
  const failure = optionalText(row, 'failure');
  const delivered_at = optionalDate(row, 'delivered_at');
  const given_up_at = optionalDate(row, 'given_up_at');
  return {
    ...(isFields(rest) ? rest : {}),
    key: text(row, 'key'),
    message: text(row, 'message'),
    channel: text(row, 'channel'),
    receiver: text(row, 'receiver'),
    hostname: text(row, 'hostname'),
    created_at: date(row, 'created_at'),
    next_at: date(row, 'next_at'),
    attempts: integer(row, 'attempts'),
    ...(failure === undefined ? {} : { failure }),
    ...(delivered_at === undefined ? {} : { delivered_at }),
    ...(given_up_at === undefined ? {} : { given_up_at }),
  };
}

function insert(engine: Engine, entry: OutboxEntry, otherwise = ''): number {
  const { key, message, channel, receiver, hostname, created_at, next_at, attempts, ...rest } = entry;
  const { failure, delivered_at, given_up_at, ...alert } = rest;
  return engine.run(
    `INSERT INTO outbox (key, message, channel, receiver, hostname, document, created_at, next_at, attempts, failure, delivered_at, given_up_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ${otherwise}`,
    ...[key, message, channel, receiver, hostname, toText({ ...alert }), time(created_at), time(next_at), attempts],
    ...[failure ?? null, time(delivered_at), time(given_up_at)],
  );
}

const readEntry = (row: Row): OutboxEntry[] => {
  const entry = outboxEntryOf(plainFields(outboxDocument(row)));
  return entry === undefined ? [] : [entry];
};

function channelIn(row: Row): Channel {
  const channel = CHANNELS.find((each) => each === text(row, 'channel'));
  if (channel === undefined) throw new TypeError(`expected a channel, got ${text(row, 'channel')}`);
  return channel;
}
