import test from 'ava';
import type { CheckResult, Judgement } from '../../src/core/check.ts';
import { consequencesOf } from '../../src/core/judged.ts';

const at = new Date(0);
const result = (answer: CheckResult['answer'], fails: boolean): CheckResult => ({
  answer,
  fails,
  evidence: {},
  since: at,
});
const judgement = (results: Record<string, CheckResult>): Judgement => ({ version: 'v', evaluated_at: at, results });

test('what fails opens its issue, whatever its answer; the others close theirs', (t) => {
  const now = judgement({
    a: result('fail', true),
    b: result('unknown', true),
    c: result('unknown', false),
    d: result('pass', false),
  });
  t.deepEqual(consequencesOf(now, undefined), { failing: ['a', 'b'], passing: ['c', 'd'] });
});

test('a check that is no longer for this host closes its issue', (t) => {
  const before = judgement({ a: result('fail', true), b: result('fail', true) });
  t.deepEqual(consequencesOf(judgement({ a: result('fail', true) }), before), { failing: ['a'], passing: ['b'] });
});
