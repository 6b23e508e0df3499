import type { Fields } from '../../core/value.ts';
import { dateAt, textAt } from '../host-document.ts';
import type { StoredDocument } from '../port.ts';
import { toText } from '../portable.ts';
import type { Engine } from './engine.ts';
import { addEnrollment } from './enrollments.ts';
import { addIssue, markOpen } from './issues.ts';
import { setEpoch } from './meta.ts';
import { addPatch } from './patches.ts';
import { time } from './row.ts';
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

function addDocument(engine: Engine, collection: string, document: Fields): void {
  switch (collection) {
    case 'clients':
      insertHost(engine, document);
      break;
    case 'enrollments':
      addEnrollment(engine, document);
      break;
    case 'tokens':
      addToken(engine, document);
      break;
    case 'issues':
      addIssue(engine, document);
      break;
    case 'patches':
      addPatch(engine, document);
      break;
    case 'signatures':
      addSignature(engine, document);
      break;
    case 'audit_trail':
      addTrailDocument(engine, document);
      break;
    default:
      engine.run('INSERT INTO documents (collection, document) VALUES (?, ?)', collection, toText(document));
  }
}

function addSignature(engine: Engine, document: Fields): void {
  const id = textAt(document, 'id');
  const expires_at = dateAt(document, 'expires_at');
  if (id === undefined || expires_at === undefined) {
    throw new TypeError('expected id and expires_at in a document of signatures');
  }
  engine.run('INSERT INTO signatures (id, expires_at) VALUES (?, ?)', id, time(expires_at));
}
