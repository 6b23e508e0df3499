import type { Row } from './engine.ts';

/** Columns of a row: a schema that does not hold what its reader expects is a fault of ours, so it throws. */
export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`expected text in column ${column}, got ${typeof value}`);
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`expected a number in column ${column}, got ${typeof value}`);
  return value;
}

export function optionalText(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

export function optionalInteger(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : integer(row, column);
}

/** Times are stored as milliseconds since 1970. */
export function date(row: Row, column: string): Date {
  return new Date(integer(row, column));
}

export function optionalDate(row: Row, column: string): Date | undefined {
  return row[column] === null ? undefined : date(row, column);
}

export function time(at: Date): number;
export function time(at: Date | undefined): number | null;
export function time(at: Date | undefined): number | null {
  return at === undefined ? null : at.getTime();
}
