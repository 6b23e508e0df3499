import type { StoredDocument } from '../port.ts';
import { fieldsOfText } from '../portable.ts';
import type { Engine, Row } from './engine.ts';
import { enrollmentDocument } from './enrollments.ts';
import { issueDocument } from './issues.ts';
import { fileDocument, pieceDocument } from './order-files.ts';
import { orderDocument, targetDocument } from './orders.ts';
import { outboxDocument } from './outbox.ts';
import { patchDocument } from './patches.ts';
import { pageOfHosts } from './read-host.ts';
import { receiptsDocument } from './receipts.ts';
import { date, integer, text } from './row.ts';
import { statementDocument } from './statements.ts';
import { tokenDocument } from './tokens.ts';

/** Rows in memory at once. */
const PAGE = 100;
/** A host's document may hold megabytes, and so may an order. */
const HOSTS_PAGE = 10;

/** All documents, in the order of store/portable.ts. @param engine over a file that nobody writes */
export function* exportDocuments(engine: Engine): Generator<StoredDocument> {
  yield* exportHosts(engine);
  for (const row of engine.all('SELECT * FROM enrollments ORDER BY key_id')) {
    yield { collection: 'enrollments', document: enrollmentDocument(row) };
  }
  for (const row of engine.all('SELECT * FROM tokens ORDER BY id')) {
    yield { collection: 'tokens', document: tokenDocument(engine, row) };
  }
  for (const row of pages(engine, 'issues')) yield { collection: 'issues', document: issueDocument(row) };
  for (const row of engine.all('SELECT * FROM patches ORDER BY id')) {
    yield { collection: 'patches', document: patchDocument(engine, row) };
  }
  yield* exportOrders(engine);
  for (const row of engine.all('SELECT * FROM outbox ORDER BY created_at, key')) {
    yield { collection: 'outbox', document: outboxDocument(row) };
  }
  for (const row of engine.all('SELECT * FROM signatures ORDER BY id')) {
    yield { collection: 'signatures', document: { id: text(row, 'id'), expires_at: date(row, 'expires_at') } };
  }
  for (const row of pages(engine, 'documents')) {
    yield { collection: text(row, 'collection'), document: fieldsOfText(text(row, 'document')) ?? {} };
  }
  for (const row of pages(engine, 'trail')) {
    yield { collection: 'audit_trail', document: fieldsOfText(text(row, 'document')) ?? {} };
  }
}

function* exportHosts(engine: Engine): Generator<StoredDocument> {
  let after = '';
  for (;;) {
    const page = pageOfHosts(engine, { after, limit: HOSTS_PAGE, where: '1', values: [], portable: true });
    for (const { document } of page) yield { collection: 'clients', document };
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.hostname;
  }
}

const TARGETS = 'order_targets JOIN (SELECT id, expires_at, release FROM orders) ON id = order_id';

const OF_ORDERS: readonly [collection: string, read: (row: Row) => StoredDocument['document'], order: string][] = [
  ['orders', orderDocument, 'made_at, id'],
  ['order_targets', targetDocument, 'order_id, host_id'],
  ['order_files', fileDocument, 'sha256'],
  ['order_file_pieces', pieceDocument, 'sha256, position'],
  ['receipts', receiptsDocument, 'host_id'],
  ['key_statements', statementDocument, 'kind, number'],
];

/** Manifests, reports and content may hold megabytes: few rows at once. */
function* exportOrders(engine: Engine): Generator<StoredDocument> {
  for (const [collection, read, order] of OF_ORDERS) {
    for (let offset = 0; ; offset += HOSTS_PAGE) {
      const from = collection === 'order_targets' ? TARGETS : collection;
      const page = engine.all(`SELECT * FROM ${from} ORDER BY ${order} LIMIT ? OFFSET ?`, HOSTS_PAGE, offset);
      for (const row of page) yield { collection, document: read(row) };
      if (page.length < HOSTS_PAGE) break;
    }
  }
}

function* pages(engine: Engine, table: 'issues' | 'documents' | 'trail'): Generator<Row> {
  let after = -1;
  for (;;) {
    const page = engine.all(`SELECT * FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`, after, PAGE);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = integer(last, 'id');
  }
}
