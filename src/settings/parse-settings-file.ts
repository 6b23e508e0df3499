import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import { messageOf } from '../core/errors.ts';
import { describeIssue, type Finding } from './describe-issue.ts';
import { type KeyPath, readYaml, type YamlFile } from './read-yaml.ts';
import { knownKeys, nearest } from './schema-at.ts';
import { SettingsError, type SettingsProblem } from './settings-error.ts';

/** What a value alone cannot show: that two of them do not go together, or that the world has no such thing. */
export interface Contradiction {
  path: KeyPath;
  expected: string;
  /** absent: the value at the path */
  found?: string;
}

/** @throws SettingsError where the file is not there or may not be read */
export async function readSettingsFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const problem = { file, key: '', expected: 'a file that can be read', found: whyUnreadable(cause) };
    throw new SettingsError(file, [problem], { cause });
  }
}

/**
 * Reads YAML by a schema.
 * @param source `file` names the problems; `secret`: nothing of what stands there is shown
 * @param contradict what is wrong with values that fit the schema
 * @throws SettingsError with every problem: file, line, key, what was expected and what was found
 */
export function parseSettingsFile<Schema extends z.ZodType>(
  { text, file, secret = false }: { text: string; file: string; secret?: boolean },
  schema: Schema,
  contradict: (value: z.output<Schema>) => Contradiction[],
): z.output<Schema> {
  const yaml = readYaml(text, file);
  if (Array.isArray(yaml)) throw new SettingsError(file, yaml);
  const value = withoutNulls(yaml.value) ?? {};
  const tell = (finding: Finding) => problemOf(finding, { schema, value, yaml, file, secret });
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const findings = parsed.error.issues.flatMap((issue) => describeIssue(issue));
    throw new SettingsError(file, findings.map(tell).sort(byLine));
  }
  const contradictions = contradict(parsed.data);
  if (contradictions.length === 0) return parsed.data;
  const problems = contradictions.map((finding) => ({ ...tell(finding), ...foundOf(finding) }));
  throw new SettingsError(file, problems.sort(byLine));
}

interface Context {
  schema: z.ZodType;
  value: unknown;
  yaml: YamlFile;
  file: string;
  secret: boolean;
}

function problemOf({ path, expected, unknown }: Finding, context: Context): SettingsProblem {
  const { schema, value, yaml, file, secret } = context;
  const line = yaml.lineOf(path);
  const found = unknown
    ? describeUnknown(schema, path)
    : describeValue(valueAtPath(value, path), secret || path.some((step) => SECRET.test(String(step))));
  return { file, ...(line === undefined ? {} : { line }), key: path.join('.'), expected, found };
}

function foundOf({ found }: { found?: string }): { found?: string } {
  return found === undefined ? {} : { found };
}

/** The value of an unknown key is never shown: it may be a password in the wrong place. */
function describeUnknown(schema: z.ZodType, path: KeyPath): string {
  const known = knownKeys(schema, path.slice(0, -1));
  const meant = nearest(String(path.at(-1)), known);
  return meant === undefined
    ? `an unknown one (known here: ${known.join(', ')})`
    : `an unknown one; did you mean ${meant}?`;
}

const SECRET = /pass|secret|token|credential/i;
const LONGEST_SHOWN = 60;

function describeValue(value: unknown, secret: boolean): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a group of keys';
  if (secret) return `a ${typeof value}`;
  const text = JSON.stringify(value).replace(/\/\/[^/@]*@/, '//…@');
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function valueAtPath(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (at, step) => (typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined),
    value,
  );
}

/** A key with nothing behind it (all of its group is commented out) is as good as absent. */
export function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((member) => (member === null ? null : withoutNulls(member)));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => (member === null ? [] : [[key, withoutNulls(member)]])),
  );
}

function byLine(a: SettingsProblem, b: SettingsProblem): number {
  return (a.line ?? 0) - (b.line ?? 0);
}

function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'none there (penguindome setup makes one)';
  if (code === 'EACCES') return 'one that this user may not read';
  if (code === 'EISDIR') return 'a folder';
  return messageOf(error);
}
