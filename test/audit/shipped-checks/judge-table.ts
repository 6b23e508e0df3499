import test from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import type { Fields } from '../../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);

/** What a shipped check answers of a host with these plugins; `not for it`: the check is for others. Unknown must never open an issue at once. */
export type Rows = Record<string, [plugins: Fields, answer: 'pass' | 'fail' | 'unknown' | 'not for it']>;

/** One test for each row, and one that the check is there and the rows hold a pass, a fail and an unknown. */
export function judgeTable(name: string, rows: Rows): void {
  test(`${name}: is shipped, and its table has a pass, a fail and an unknown`, async (t) => {
    t.true((await loaded).checks.some((check) => check.name === name));
    const answers = new Set(Object.values(rows).map(([, answer]) => answer));
    for (const answer of ['pass', 'fail', 'unknown'] as const) t.true(answers.has(answer), answer);
  });
  for (const [title, [plugins, answer]] of Object.entries(rows)) {
    test(`${name}: ${title}: ${answer}`, async (t) => {
      const { results } = makeJudge((await loaded).checks).judge({ hostname: 'laptop', plugins }, undefined, AT);
      if (answer === 'not for it') t.is(results[name], undefined);
      else t.like(results[name], { answer, fails: answer === 'fail' });
    });
  }
}
