import type { CheckResult } from '../core/check.ts';
import { harmless } from './harmless.ts';

/** The answer in words: an unknown that opens an issue says so. */
export function showAnswer({ answer, fails }: Pick<CheckResult, 'answer' | 'fails'>): string {
  return answer === 'unknown' && fails ? 'unknown (counts as fail)' : answer;
}

export interface AnswerCounts {
  pass: number;
  fail: number;
  unknown: number;
}

export function countAnswers(results: Record<string, CheckResult>): AnswerCounts {
  const counts: AnswerCounts = { pass: 0, fail: 0, unknown: 0 };
  for (const { answer } of Object.values(results)) counts[answer] += 1;
  return counts;
}

/** What was looked at, on one line, and before it why nothing could be said. */
export function showEvidence({ reason, evidence }: Pick<CheckResult, 'reason' | 'evidence'>): string {
  const seen = Object.entries(evidence ?? {}).map(([path, value]) => `${path} = ${showValue(value)}`);
  return [...(reason === undefined ? [] : [reason]), ...seen].join('; ');
}

/** Characters of a value that decided something: whoever mends it has to see which repository, which socket it is. */
export const DECIDING = 1000;

/** A reported value on one line (its own line ends are shown), cut where it is long. */
export function showValue(value: unknown, longest = 120): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '-');
  return harmless(text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
}
