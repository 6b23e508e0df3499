import type * as v from 'valibot';
import type { KeyPath } from './read-yaml.ts';

/** What is wrong at one place, in words, by valibot's issue; @param schema of the whole */
export function describeAgentIssue(
  issue: v.BaseIssue<unknown>,
  schema: unknown,
): { path: KeyPath; expected: string; found: string } {
  const path = (issue.path ?? []).flatMap(({ key }) =>
    typeof key === 'string' || typeof key === 'number' ? [key] : [],
  );
  return issue.expected === 'never'
    ? {
        path,
        expected: 'a known key',
        found: `an unknown one (known here: ${knownKeys(schema, path.slice(0, -1)).join(', ')})`,
      }
    : { path, expected: expectedBy(issue), found: describeAgentValue(issue.input) };
}

const TYPES: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  Array: 'a list',
  Object: 'a group of keys',
};

function expectedBy(issue: v.BaseIssue<unknown>): string {
  if (issue.message.startsWith('expected ')) return issue.message.slice('expected '.length);
  return TYPES[issue.expected ?? ''] ?? issue.message;
}

/** The keys that the schema knows at a path; of a record any. */
export function knownKeys(root: unknown, path: KeyPath): string[] {
  let schema: unknown = root;
  for (const step of path) schema = below(schema, step);
  return Object.keys(entriesOf(schema));
}

function below(schema: unknown, step: string | number): unknown {
  const bare = unwrapped(schema);
  return isGroup(bare) && bare['type'] === 'record' ? bare['value'] : entriesOf(bare)[step];
}

function entriesOf(schema: unknown): Record<string, unknown> {
  const bare = unwrapped(schema);
  return isGroup(bare) && isGroup(bare['entries']) ? bare['entries'] : {};
}

function unwrapped(schema: unknown): unknown {
  return isGroup(schema) && isGroup(schema['wrapped']) ? unwrapped(schema['wrapped']) : schema;
}

const LONGEST_SHOWN = 60;

export function describeAgentValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
