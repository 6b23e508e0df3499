import type { CheckResult, Judge, Judgement } from '../core/check.ts';
import type { Host } from '../core/host.ts';
import { judgedDocument } from '../core/judged.ts';

/**
 * Adds to what was last said of a host the evidence, and why an answer is unknown, where that was not stored.
 * @param judge tells them of all its answers. Of a check that it does not know, nothing was looked at
 */
export function recall(judge: Judge, host: Host, at: Date): Judgement | undefined {
  const { checks } = host;
  if (checks === undefined) return undefined;
  const { results } = judge.judge(judgedDocument(host), checks, at);
  const told = Object.entries(checks.results).map(([name, result]): [string, CheckResult] => [
    name,
    result.evidence === undefined
      ? withEvidence(result, Object.hasOwn(results, name) ? results[name] : undefined)
      : result,
  ]);
  return { ...checks, results: Object.fromEntries(told) };
}

/** Where the check was changed since, the reason for another answer is none of this one. */
function withEvidence(stored: CheckResult, { answer, evidence = {}, reason }: Partial<CheckResult> = {}): CheckResult {
  const { since, ...said } = stored;
  return { ...said, evidence, ...(reason !== undefined && answer === stored.answer && { reason }), since };
}
