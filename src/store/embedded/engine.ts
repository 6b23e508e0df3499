/**
 * SQLite (libsql) as the embedded store uses it: synchronous calls, and errors that the port knows.
 * What is done with an engine is synchronous: store-on.ts makes the port's promises of it.
 */
import Libsql from 'libsql';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf, StoreUnavailable } from '../../core/errors.ts';

/** How long a write waits for another process's. The call blocks its thread, so not long. */
const BUSY_TIMEOUT = seconds(3);

/** What SQLite says when it cannot read or write now; anything else is a fault of ours or a damaged file. */
const UNAVAILABLE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|PROTOCOL|NOMEM)/;

export type Bindable = string | number | null;
/** A row as it comes: row.ts reads its columns. */
export type Row = Readonly<Record<string, unknown>>;

export interface Engine {
  all(sql: string, ...values: Bindable[]): Row[];
  /** The first row. */
  get(sql: string, ...values: Bindable[]): Row | undefined;
  /** @returns how many rows changed */
  run(sql: string, ...values: Bindable[]): number;
  exec(sql: string): void;
  /**
   * All of `work` or nothing. Takes the write lock first: what `work` reads stays true until it writes.
   * Inside another transaction it is part of that one, which undoes everything where `work` throws.
   */
  transaction<T>(work: () => T): T;
  inTransaction(): boolean;
  /** Ends a transaction that was begun by hand; harmless where there is none. */
  rollback(): void;
  close(): void;
}

export function openEngine(path: string, options: { timeout?: Milliseconds } = {}): Engine {
  const database = reach(() => new Libsql(path, { timeout: options.timeout ?? BUSY_TIMEOUT }));
  const statements = new Map<string, Libsql.Statement>();
  let open = true;

  const prepare = (sql: string): Libsql.Statement => {
    if (!open) throw new StoreUnavailable('cannot use a store that is closed');
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  // libsql ends the process at a boolean, and cuts a text at NUL (no key of ours holds one; a caller's question may).
  const bound = (values: Bindable[]) =>
    values.map((value) => (typeof value === 'string' ? value.replaceAll('\0', '\u241b00') : value));

  const engine: Engine = {
    all: (sql, ...values) => reach(() => prepare(sql).all(bound(values)).filter(isRow)),
    // not libsql's get(): it leaves the statement half stepped, and with it a lock
    get: (sql, ...values) => engine.all(sql, ...values)[0],
    run: (sql, ...values) => reach(() => prepare(sql).run(bound(values)).changes),
    exec: (sql) => reach(() => database.exec(sql)),
    transaction(work) {
      if (engine.inTransaction()) return work();
      engine.run('BEGIN IMMEDIATE');
      try {
        const result = work();
        engine.run('COMMIT');
        return result;
      } catch (error) {
        engine.rollback();
        throw error;
      }
    },
    inTransaction: () => database.inTransaction,
    rollback() {
      // after some errors (a full disk) SQLite has rolled back by itself
      if (engine.inTransaction()) engine.exec('ROLLBACK');
    },
    close() {
      if (!open) return;
      open = false;
      statements.clear();
      database.close();
    },
  };
  return engine;
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null;
}

function reach<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    // libsql's own errors look like Error, and are none
    if (!isUnavailable(error)) throw error instanceof TypeError ? error : new Error(messageOf(error), { cause: error });
    throw new StoreUnavailable(`cannot use the store's file now: ${messageOf(error)}`, { cause: error });
  }
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code: unknown = Reflect.get(error, 'code');
  return (typeof code === 'string' && UNAVAILABLE.test(code)) || error.message.includes('Unable to open connection');
}
