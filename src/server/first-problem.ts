import type * as v from 'valibot';

/** The first thing that is wrong with a message, and where: never what was found there, which may be a secret. */
export function firstProblem(issues: readonly v.BaseIssue<unknown>[]): string {
  const [issue] = issues;
  if (issue === undefined) return 'cannot read the message';
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'string' ? key : String(key))).join('.');
  const expected = issue.message.startsWith('expected ')
    ? issue.message
    : `expected ${issue.expected ?? 'something else'}`;
  return `cannot read ${path === '' ? 'the message' : shorten(path)}: ${expected}`;
}

/** Keys are the sender's own words: enough of them to find the place. */
function shorten(path: string): string {
  return path.length > 80 ? `${path.slice(0, 80)}…` : path;
}
