import type { Document } from 'mongodb';
import { StoreUnavailable } from '../../core/errors.ts';
import type { KeyId } from '../../core/host.ts';
import type { Collections } from './collections.ts';
import { isUnreadable } from './errors.ts';
import { assertConfirmed, writeErrors } from './insert-all.ts';
import { type Outcome, share } from './share.ts';
import { OPERATION_TIMEOUT } from './timeouts.ts';

/** One guarded write to a host's document. */
export interface Statement {
  filter: Document;
  /** where several indexes would do: the server then need not weigh them */
  hint?: Document;
  update: Document;
  /** makes the document where there is none: then the filter must not fail otherwise but by the unique index over names */
  upsert?: true;
  /** chain value, of nobody else's, that the write leaves with the host of this key: by it one finds out afterwards whether it was written */
  leaves?: { key_id: KeyId; chain: string };
  /** to write it once more does no harm, and finds out whether its guard holds */
  repeatable?: true;
  /** of the update, about */
  bytes: number;
}

const MOST = { items: 64, bytes: 8 * 1024 * 1024 };

/**
 * Writes to hosts, those that are asked for at once in one command, which waits once for majority and journal.
 * Each is still a statement of its own, with its own guard: one that fails leaves the others be.
 * @returns whether the guard held; rejects with the server's error, a duplicate key for one
 */
export function shareWrites(collections: Collections): (statement: Statement) => Promise<boolean> {
  return share((statements) => writeAll(collections, statements), {
    most: MOST,
    sizeOf: ({ bytes }) => bytes,
    batches: { most: 2, worth: 4 },
  });
}

/** A statement that the server, or the driver, cannot even read fails its whole command: then each goes by itself. */
async function writeAll(collections: Collections, statements: Statement[]): Promise<Outcome<boolean>[]> {
  try {
    return await writeTogether(collections, statements);
  } catch (error) {
    if (statements.length === 1 || error instanceof StoreUnavailable || !isUnreadable(error)) throw error;
    return Promise.all(statements.map((statement) => writeAlone(collections, statement)));
  }
}

async function writeAlone(collections: Collections, statement: Statement): Promise<Outcome<boolean>> {
  try {
    const [outcome] = await writeTogether(collections, [statement]);
    return outcome ?? { answer: false };
  } catch (error) {
    return { error };
  }
}

async function writeTogether(collections: Collections, statements: Statement[]): Promise<Outcome<boolean>[]> {
  const { db, clients } = collections;
  const reply = await db.command(
    {
      update: clients.collectionName,
      updates: statements.map(({ filter, update, hint, upsert }) => ({ q: filter, u: update, hint, upsert })),
      ordered: false,
      writeConcern: { w: 'majority', j: true, wtimeout: OPERATION_TIMEOUT },
    },
    { ignoreUndefined: true },
  );
  assertConfirmed(reply);
  const errors = writeErrors(reply);
  const unmatched = statements.length - errors.size - Number(reply['n']);
  const written = unmatched === 0 ? undefined : await whichWritten(collections, statements, errors, unmatched);
  return statements.map((_, index) => {
    const error = errors.get(index);
    return error === undefined ? { answer: written?.[index] ?? true } : { error };
  });
}

/** The reply only counts. Where not all were written, what each leaves behind, or writing it once more, tells which were. */
async function whichWritten(
  collections: Collections,
  statements: Statement[],
  errors: ReadonlyMap<number, unknown>,
  unmatched: number,
): Promise<boolean[]> {
  if (statements.length === 1) return [false];
  const [chains, again] = await Promise.all([chainsLeft(collections, statements), writeAgain(collections, statements)]);
  const written = statements.map(
    (statement) => again.get(statement) ?? (statement.leaves === undefined || chains.has(statement.leaves.chain)),
  );
  const counted = written.filter((each, index) => !each && !errors.has(index)).length;
  // Somebody wrote the same host right after, or the server stopped midway: nobody knows.
  if (counted !== unmatched) throw new StoreUnavailable('cannot tell what of a batch was written');
  return written;
}

async function chainsLeft({ clients }: Collections, statements: Statement[]): Promise<ReadonlySet<unknown>> {
  const traces = statements.flatMap(({ leaves }) => leaves ?? []);
  const found = await clients
    .find(
      { 'identity.keys.id': { $in: traces.map(({ key_id }) => key_id) } },
      { projection: { 'identity.last.chain': 1 } },
    )
    .toArray();
  return new Set(found.map((document) => document['identity']?.last?.chain));
}

async function writeAgain(collections: Collections, statements: Statement[]): Promise<ReadonlyMap<Statement, boolean>> {
  const again = statements.filter(({ repeatable }) => repeatable);
  const outcomes = await Promise.all(again.map((statement) => writeTogether(collections, [statement])));
  return new Map(
    again.map((statement, index) => {
      const outcome = outcomes[index]?.[0] ?? { answer: false };
      if ('error' in outcome) throw outcome.error;
      return [statement, outcome.answer];
    }),
  );
}
