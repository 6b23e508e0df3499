import type * as z from 'zod';
import { describeIssue } from '../settings/describe-issue.ts';
import type { YamlFile } from '../settings/read-yaml.ts';

/** A check file, or a folder of them, that cannot be used. */
export interface CheckProblem {
  file: string;
  /** from 1; absent where the whole file is meant */
  line?: number;
  /** "cannot …", or what was expected and where */
  reason: string;
  /** the check that the file is about, as far as can be told: what is known of it stays. Absent: any check may be meant */
  name?: string;
}

/** One line for the operator: file, line, reason. */
export function describeProblem({ file, line, reason }: CheckProblem): string {
  return `${line === undefined ? file : `${file}:${line}`}: ${reason}`;
}

/** What the schema found, as problems with lines. */
export function problemsOf(at: { file: string; name: string; yaml: YamlFile }, error: z.ZodError): CheckProblem[] {
  return error.issues.flatMap((issue) =>
    describeIssue(issue).map(({ path, expected, unknown }) =>
      problemAt(at, path, unknown === true ? 'expected a key that checks have' : `expected ${expected}`),
    ),
  );
}

/** A problem of one key of a file. */
export function problemAt(
  { file, name, yaml }: { file: string; name: string; yaml: YamlFile },
  path: readonly (string | number)[],
  reason: string,
): CheckProblem {
  const line = yaml.lineOf(path);
  const key = path.length === 0 ? '' : `${path.join('.')}: `;
  return { file, name, ...(line === undefined ? {} : { line }), reason: `${key}${reason}` };
}
