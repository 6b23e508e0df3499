import type { Fields } from '../../core/value.ts';
import { statementFields, statementOf } from '../order-records.ts';
import type { KeyStatement } from '../port.ts';
import type { Engine, Row } from './engine.ts';
import { integer, text } from './row.ts';

export function putStatement(engine: Engine, { kind, number, document }: KeyStatement): boolean {
  return (
    engine.run(
      `INSERT INTO key_statements (kind, number, document) SELECT ?, ?, ?
         WHERE NOT EXISTS (SELECT 1 FROM key_statements WHERE kind = ? AND number >= ?)`,
      ...[kind, number, JSON.stringify(document), kind, number],
    ) > 0
  );
}

export function statementsAbove(engine: Engine, kind: KeyStatement['kind'], above: number): KeyStatement[] {
  return engine
    .all('SELECT * FROM key_statements WHERE kind = ? AND number > ? ORDER BY number', kind, above)
    .flatMap((row) => statementOf(statementDocument(row)) ?? []);
}

/** In portable form; likewise below. */
export function statementDocument(row: Row): Fields {
  return { kind: text(row, 'kind'), number: integer(row, 'number'), document: text(row, 'document') };
}

export function addStatementDocument(engine: Engine, fields: Fields): void {
  const statement = statementOf(fields);
  if (statement === undefined) return;
  const { kind, number, document } = statementFields(statement);
  if (typeof kind !== 'string' || typeof number !== 'number' || typeof document !== 'string') return;
  engine.run('INSERT INTO key_statements (kind, number, document) VALUES (?, ?, ?)', kind, number, document);
}
