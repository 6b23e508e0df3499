import type * as z from 'zod';
import type { KeyPath } from './read-yaml.ts';

type Issue = z.core.$ZodIssue;

/** One thing that is wrong, in words. `unknown`: a key that the schema does not have. */
export interface Finding {
  path: KeyPath;
  expected: string;
  unknown?: true;
}

/** Zod's issue in our words; a union's is told for the branch that was meant, an object's for each key that nobody knows. */
export function describeIssue(issue: Issue, prefix: KeyPath = []): Finding[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.startsWith('expected ')) return [{ path, expected: withoutExpected(issue.message) }];
      return [{ path, expected: TYPES[issue.expected] ?? `a ${issue.expected}` }];
    case 'too_small':
      return [{ path, expected: bound(issue.origin, 'at least', issue.minimum) }];
    case 'too_big':
      return [{ path, expected: bound(issue.origin, 'at most', issue.maximum) }];
    case 'invalid_value':
      return [{ path, expected: oneOf(issue.values.map(String)) }];
    case 'invalid_format':
      return [{ path, expected: FORMATS[issue.format] ?? withoutExpected(issue.message) }];
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], expected: 'a known key', unknown: true }));
    case 'invalid_key':
      return issue.issues.flatMap((inner) => describeIssue(inner, path));
    case 'invalid_union':
      return describeUnion(issue, path);
    default:
      return [{ path, expected: withoutExpected(issue.message) }];
  }
}

const TYPES: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a group of keys',
  string: 'a text',
};

const FORMATS: Record<string, string> = {
  date: 'a date such as 2027-01-31',
  url: 'a URL that starts with http:// or https://',
};

function describeUnion(issue: z.core.$ZodIssueInvalidUnion, path: KeyPath): Finding[] {
  // No branch: the discriminator itself is wrong. Else the branch meant is the one that got furthest into the value.
  const branches = issue.errors.map((errors) => errors.flatMap((error) => describeIssue(error, path)));
  const deep = branches.find((findings) => findings.some((finding) => finding.path.length > path.length));
  if (deep !== undefined) return deep;
  const expected = branches.flatMap((findings) => findings.map((finding) => finding.expected));
  if (expected.length > 0) return [{ path, expected: oneOf([...new Set(expected)]) }];
  return [{ path, expected: oneOf('options' in issue ? (issue.options ?? []).map(String) : []) }];
}

function bound(origin: string, words: string, limit: number | bigint): string {
  if (origin === 'string') return limit === 1 ? 'a text that is not empty' : `${words} ${limit} characters`;
  if (origin === 'array') return `${words} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `a number of ${words} ${limit}`;
}

function oneOf(values: string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function withoutExpected(message: string): string {
  return message.replace(/^expected /, '');
}
