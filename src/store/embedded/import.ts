import type { Fields } from '../../core/value.ts';
import { dateAt, textAt } from '../host-document.ts';
import { orderOf, orderTargetOf, statementOf } from '../order-records.ts';
import { outboxEntryOf } from '../outbox-record.ts';
import type { StoredDocument } from '../port.ts';
import { plainFields, toText } from '../portable.ts';
import { enrollmentOf, issueOf, objectIdOf, tokenOf } from '../records.ts';
import type { Engine } from './engine.ts';
import { addEnrollment } from './enrollments.ts';
import { addIssue, markOpen } from './issues.ts';
import { setEpoch } from './meta.ts';
import { addFileDocument, addPieceDocument, fitsFile, fitsPiece } from './order-files.ts';
import { addOrderDocument, addTargetDocument } from './orders.ts';
import { addOutboxDocument } from './outbox.ts';
import { addPatch } from './patches.ts';
import { addReceiptsDocument, fitsReceipts } from './receipts.ts';
import { time } from './row.ts';
import { addStatementDocument } from './statements.ts';
import { addToken } from './tokens.ts';
import { addTrailDocument } from './trail.ts';
import { insertHost } from './write-host.ts';

const TABLES = [
  'hosts',
  'host_keys',
  'host_documents',
  'enrollments',
  'tokens',
  'token_uses',
  'issues',
  'patches',
  'patch_hosts',
  'patch_files',
  'orders',
  'order_targets',
  'order_files',
  'order_file_pieces',
  'receipts',
  'key_statements',
  'outbox',
  'signatures',
  'documents',
  'trail',
];

/** Replaces everything in one transaction. @param engine nobody else's: the transaction stays open while documents come */
export async function importDocuments(
  engine: Engine,
  documents: AsyncIterable<StoredDocument>,
  epoch: string,
): Promise<void> {
  engine.exec('BEGIN IMMEDIATE');
  try {
    for (const table of TABLES) engine.run(`DELETE FROM ${table}`);
    for await (const { collection, document } of documents) addDocument(engine, collection, document);
    markOpen(engine);
    setEpoch(engine, epoch);
    engine.exec('COMMIT');
  } catch (error) {
    engine.rollback();
    throw error;
  }
}

/** What is not of its collection's shape (an original database holds what it holds) has no table, and is kept as it is. */
function addDocument(engine: Engine, collection: string, document: Fields): void {
  const add = ADDERS[collection];
  if (add === undefined || !add.fits(document)) {
    engine.run('INSERT INTO documents (collection, document) VALUES (?, ?)', collection, toText(document));
  } else add.to(engine, document);
}

interface Adder {
  fits(document: Fields): boolean;
  to(engine: Engine, document: Fields): void;
}

const ADDERS: Readonly<Record<string, Adder>> = {
  clients: { fits: (document) => textAt(document, 'hostname') !== undefined, to: insertHost },
  enrollments: { fits: (document) => enrollmentOf(plainFields(document)) !== undefined, to: addEnrollment },
  tokens: { fits: (document) => tokenOf(plainFields(document)) !== undefined, to: addToken },
  issues: { fits: (document) => issueOf(document) !== undefined, to: addIssue },
  patches: { fits: (document) => objectIdOf(document['_id']) !== undefined, to: addPatch },
  orders: { fits: (document) => orderOf(plainFields(document)) !== undefined, to: addOrderDocument },
  order_targets: { fits: (document) => orderTargetOf(plainFields(document)) !== undefined, to: addTargetDocument },
  order_files: { fits: fitsFile, to: addFileDocument },
  order_file_pieces: { fits: fitsPiece, to: addPieceDocument },
  receipts: { fits: fitsReceipts, to: addReceiptsDocument },
  key_statements: { fits: (document) => statementOf(document) !== undefined, to: addStatementDocument },
  outbox: { fits: (document) => outboxEntryOf(plainFields(document)) !== undefined, to: addOutboxDocument },
  signatures: {
    fits: (document) => textAt(document, 'id') !== undefined && dateAt(document, 'expires_at') !== undefined,
    to: addSignature,
  },
  audit_trail: { fits: () => true, to: addTrailDocument },
};

function addSignature(engine: Engine, document: Fields): void {
  const id = textAt(document, 'id') ?? '';
  engine.run('INSERT INTO signatures (id, expires_at) VALUES (?, ?)', id, time(dateAt(document, 'expires_at')));
}
