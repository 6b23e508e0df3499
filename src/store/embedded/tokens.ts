import type { Token } from '../../core/enrollment.ts';
import type { KeyId } from '../../core/host.ts';
import type { Fields } from '../../core/value.ts';
import type { TokenUse } from '../port.ts';
import { plainFields } from '../portable.ts';
import { tokenFields, tokenOf } from '../records.ts';
import type { Engine, Row } from './engine.ts';
import { date, integer, optionalDate, optionalText, text, time } from './row.ts';

export function insertToken(engine: Engine, token: Token): void {
  engine.transaction(() => addToken(engine, tokenFields(token)));
}

export function listTokens(engine: Engine): Token[] {
  return engine
    .all('SELECT * FROM tokens ORDER BY created_at, id')
    .flatMap((row) => tokenOf(tokenDocument(engine, row)) ?? []);
}

export function findToken(engine: Engine, hash: string): Token | undefined {
  const row = engine.get('SELECT * FROM tokens WHERE hash = ?', hash);
  return row === undefined ? undefined : tokenOf(tokenDocument(engine, row));
}

export function useToken(engine: Engine, hash: string, key: KeyId, at: Date): TokenUse {
  return engine.transaction(() => {
    const token = findToken(engine, hash);
    if (token === undefined) return { outcome: 'unknown' };
    if (token.revoked_at !== undefined) return { outcome: 'revoked' };
    if (token.used_by.includes(key)) return { outcome: 'used-before', token };
    if (token.expires_at <= at) return { outcome: 'expired' };
    if (token.used_by.length >= token.uses) return { outcome: 'used-up' };
    addUse(engine, token.id, token.used_by.length, key);
    return { outcome: 'used', token: { ...token, used_by: [...token.used_by, key] } };
  });
}

export function revokeToken(engine: Engine, id: string, at: Date): boolean {
  return engine.run('UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL', time(at), id) > 0;
}

/** @param document in portable form */
export function addToken(engine: Engine, document: Fields): void {
  const token = tokenOf(plainFields(document));
  if (token === undefined) throw new TypeError('expected a token in a document of tokens');
  engine.run(
    'INSERT INTO tokens (id, hash, created_at, expires_at, uses, approve, pattern, note, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    token.id,
    token.hash,
    time(token.created_at),
    time(token.expires_at),
    token.uses,
    Number(token.approve),
    token.pattern ?? null,
    token.note ?? null,
    time(token.revoked_at),
  );
  for (const [position, key] of token.used_by.entries()) addUse(engine, token.id, position, key);
}

function addUse(engine: Engine, token: string, position: number, key: KeyId): void {
  engine.run('INSERT INTO token_uses (token, position, key_id) VALUES (?, ?, ?)', token, position, key);
}

/** In portable form. */
export function tokenDocument(engine: Engine, row: Row): Fields {
  const id = text(row, 'id');
  const pattern = optionalText(row, 'pattern');
  const note = optionalText(row, 'note');
  const revoked_at = optionalDate(row, 'revoked_at');
  return {
    id,
    hash: text(row, 'hash'),
    created_at: date(row, 'created_at'),
    expires_at: date(row, 'expires_at'),
    uses: integer(row, 'uses'),
    used_by: engine
      .all('SELECT key_id FROM token_uses WHERE token = ? ORDER BY position', id)
      .map((use) => text(use, 'key_id')),
    approve: integer(row, 'approve') === 1,
    ...(pattern === undefined ? {} : { pattern }),
    ...(note === undefined ? {} : { note }),
    ...(revoked_at === undefined ? {} : { revoked_at }),
  };
}
