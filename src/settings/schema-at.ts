import * as z from 'zod';
import type { KeyPath } from './read-yaml.ts';

/** The schemas that may apply at a path (several where a union stands on the way), bare of their defaults. */
export function schemasAt(root: unknown, path: KeyPath): unknown[] {
  return path.reduce<unknown[]>((at, step) => at.flatMap((schema) => below(schema, step)), branches(root));
}

/** The keys that the schema knows at a path. */
export function knownKeys(root: unknown, path: KeyPath): string[] {
  const keys = schemasAt(root, path).flatMap((schema) =>
    schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
  );
  return [...new Set(keys)];
}

/** The name nearest to the one written, where one is near enough to have been meant. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.name : undefined;
}

function below(schema: unknown, step: string | number): unknown[] {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, step) ? branches(schema.shape[step]) : [];
  if (schema instanceof z.ZodRecord) return branches(schema.valueType);
  if (schema instanceof z.ZodArray) return /^\d+$/.test(String(step)) ? branches(schema.element) : [];
  return [];
}

function branches(schema: unknown): unknown[] {
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return branches(schema.unwrap());
  }
  return schema instanceof z.ZodUnion ? schema.options.flatMap(branches) : [schema];
}

/** Levenshtein's distance, with two neighbours swapped as one step. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (rows[i - 1]?.[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(changed, (rows[i - 1]?.[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}
