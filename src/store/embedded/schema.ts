import { OperatorError } from '../../core/errors.ts';
import type { Engine } from './engine.ts';
import { integer } from './row.ts';

/**
 * Version n is what the first n of these make. Forward only; each runs once, in one transaction with the mark of its version.
 *
 * `hosts` holds what a quiet check-in changes, in a short row; what it leaves alone is in `host_documents`,
 * which is rewritten only with a changed report. Times are milliseconds; documents are JSON as of store/portable.ts.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE hosts (
    id INTEGER PRIMARY KEY,
    hostname TEXT NOT NULL UNIQUE,
    host_id TEXT UNIQUE,
    sequence INTEGER,
    epoch TEXT,
    submission TEXT,
    chain TEXT,
    answered_at INTEGER,
    digest TEXT,
    submitted_at INTEGER,
    plugins_submitted_at INTEGER,
    collected_at INTEGER,
    suspended INTEGER,
    checks_version TEXT,
    checks_evaluated_at INTEGER,
    checks_deadline_at INTEGER,
    settled INTEGER
  ) STRICT;
  CREATE INDEX hosts_unsettled ON hosts (hostname) WHERE settled = 0;

  CREATE TABLE host_keys (
    key_id TEXT PRIMARY KEY,
    host INTEGER NOT NULL,
    position INTEGER NOT NULL,
    public_key TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX host_keys_host ON host_keys (host);

  CREATE TABLE host_documents (
    host INTEGER PRIMARY KEY,
    identity TEXT,
    list TEXT,
    plugins TEXT,
    commands TEXT,
    checks TEXT,
    other TEXT NOT NULL
  ) STRICT;

  CREATE TABLE trail (id INTEGER PRIMARY KEY, hostname TEXT NOT NULL, audited_at INTEGER NOT NULL, document TEXT NOT NULL) STRICT;
  CREATE INDEX trail_hostname ON trail (hostname, audited_at);

  CREATE TABLE enrollments (
    key_id TEXT PRIMARY KEY,
    host_id TEXT NOT NULL,
    hostname TEXT NOT NULL,
    status TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    approved_at INTEGER,
    revoked_at INTEGER,
    revoked_why TEXT,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX enrollments_hostname ON enrollments (hostname);

  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    approve INTEGER NOT NULL,
    pattern TEXT,
    note TEXT,
    revoked_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE token_uses (
    token TEXT NOT NULL, position INTEGER NOT NULL, key_id TEXT NOT NULL, PRIMARY KEY (token, key_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE issues (
    id INTEGER PRIMARY KEY,
    hostname TEXT NOT NULL,
    name TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    alerted_at INTEGER,
    snoozed_at INTEGER,
    unsnooze_at INTEGER,
    unsnoozed_at INTEGER,
    open INTEGER,
    other TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX issues_open ON issues (hostname, name) WHERE open = 1;
  CREATE INDEX issues_hostname ON issues (hostname, name, closed_at);
  CREATE INDEX issues_opened ON issues (opened_at);

  CREATE TABLE patches (id TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE patch_hosts (
    id INTEGER PRIMARY KEY, patch TEXT NOT NULL, hostname TEXT NOT NULL, completed INTEGER NOT NULL, UNIQUE (patch, hostname, completed)
  ) STRICT;
  CREATE INDEX patch_hosts_pending ON patch_hosts (hostname) WHERE completed = 0;

  CREATE TABLE signatures (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX signatures_expiry ON signatures (expires_at);

  CREATE TABLE documents (id INTEGER PRIMARY KEY, collection TEXT NOT NULL, document TEXT NOT NULL) STRICT;
  `,
  `
  ALTER TABLE hosts ADD COLUMN claimed_hostname TEXT;
  CREATE INDEX enrollments_host ON enrollments (host_id);
  CREATE INDEX enrollments_renamed ON enrollments (key_id) WHERE json_extract(document, '$.former_hostnames') IS NOT NULL;
  `,
  'ALTER TABLE hosts ADD COLUMN lost_at INTEGER',
  'ALTER TABLE host_keys ADD COLUMN ends_at INTEGER; ALTER TABLE host_keys ADD COLUMN replaces TEXT',
  'CREATE INDEX issues_unclosed ON issues (hostname, name) WHERE closed_at IS NULL',
  // not unique: an original database may hold two spellings of a name
  `
  CREATE INDEX hosts_any_case ON hosts (hostname COLLATE NOCASE);
  CREATE INDEX enrollments_any_case ON enrollments (hostname COLLATE NOCASE);
  DROP INDEX enrollments_hostname;
  `,
  `
  ALTER TABLE issues ADD COLUMN held INTEGER;
  CREATE INDEX issues_held ON issues (hostname, name) WHERE held = 1;
  CREATE INDEX documents_of ON documents (collection);
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    message TEXT NOT NULL,
    channel TEXT NOT NULL,
    receiver TEXT NOT NULL,
    hostname TEXT NOT NULL,
    document TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    failure TEXT,
    claimed_by TEXT,
    leased_until INTEGER,
    delivered_at INTEGER,
    given_up_at INTEGER
  ) STRICT;
  CREATE INDEX outbox_age ON outbox (created_at, key);
  CREATE INDEX outbox_message ON outbox (message);
  CREATE INDEX outbox_waiting ON outbox (next_at) WHERE delivered_at IS NULL AND given_up_at IS NULL;
  `,
  `
  CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    release INTEGER UNIQUE,
    cancelled_at INTEGER,
    files TEXT NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX orders_age ON orders (made_at, id);
  CREATE INDEX orders_expiry ON orders (expires_at);
  CREATE TABLE order_targets (
    order_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    hostname TEXT NOT NULL,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    given INTEGER NOT NULL DEFAULT 0,
    number INTEGER,
    report TEXT,
    PRIMARY KEY (order_id, host_id)
  ) STRICT;
  CREATE INDEX order_targets_host ON order_targets (host_id);
  CREATE INDEX order_targets_name ON order_targets (hostname, order_id, host_id);
  CREATE INDEX order_targets_queued ON order_targets (order_id, host_id) WHERE state = 'queued';
  CREATE TABLE order_files (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, put_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE order_file_pieces (
    sha256 TEXT NOT NULL, position INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (sha256, position)
  ) STRICT;
  CREATE TABLE receipts (
    host_id TEXT PRIMARY KEY, number INTEGER NOT NULL, hash TEXT NOT NULL, broken_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE key_statements (
    kind TEXT NOT NULL, number INTEGER NOT NULL, document TEXT NOT NULL, PRIMARY KEY (kind, number)
  ) STRICT;
  `,
  `
  CREATE TABLE patch_files (path TEXT NOT NULL, patch TEXT NOT NULL, PRIMARY KEY (path, patch)) STRICT, WITHOUT ROWID;
  INSERT OR IGNORE INTO patch_files (path, patch)
    SELECT json_extract(file.value, '$.path'), patches.id FROM patches, json_each(patches.document, '$.files') AS file
    WHERE json_type(file.value, '$.path') = 'text';
  `,
];

/**
 * Brings the schema up to the last version. Several processes may do so at once.
 * @throws OperatorError where the file's schema is newer than this program
 */
export function migrate(engine: Engine, epoch: string, migrations: readonly string[] = MIGRATIONS): void {
  if (version(engine) === migrations.length) return;
  engine.transaction(() => {
    const from = version(engine);
    if (from > migrations.length) throw tooNew(from, migrations.length);
    for (const migration of migrations.slice(from)) engine.exec(migration);
    engine.exec(`PRAGMA user_version = ${migrations.length}`);
    engine.run(`INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING`, epoch);
  });
}

function version(engine: Engine): number {
  const row = engine.get('PRAGMA user_version');
  return row === undefined ? 0 : integer(row, 'user_version');
}

function tooNew(found: number, known: number): OperatorError {
  return new OperatorError(
    `cannot use the store: its schema has version ${found}, and this penguindome knows versions up to ${known}; install a newer penguindome`,
  );
}
