import { failed, type Result } from './body.ts';

/**
 * Of all results together. A server takes 4 MiB as sent and 50,000 keys unless it is told otherwise (limits.body, limits.json_keys), and refuses
 * what is more as a whole: so much fits even where nothing can be compressed.
 */
const MOST_BYTES = 3.75 * 1024 * 1024;
const MOST_KEYS = 40_000;
/** `"":0,` */
const SMALLEST_MEMBER = 5;

/** Keeps a report within what a server takes: the largest results make room for all others, and are reported as failed. */
export function fitReport(results: readonly Result[]): Result[] {
  const fitting = squeeze(results, ({ text }) => Buffer.byteLength(text), MOST_BYTES, 'bytes');
  const bytes = fitting.reduce((sum, { text }) => sum + text.length, 0);
  if (bytes < MOST_KEYS * SMALLEST_MEMBER) return fitting;
  return squeeze(fitting, ({ text }) => keysIn(JSON.parse(text)), MOST_KEYS, 'keys');
}

function squeeze(results: readonly Result[], weigh: (result: Result) => number, most: number, unit: string): Result[] {
  const weighed = results.map((result) => ({ result, weight: weigh(result) }));
  let left = weighed.reduce((sum, { weight }) => sum + weight, 0) - most;
  if (left <= 0) return [...results];
  for (const one of [...weighed].sort((a, b) => b.weight - a.weight)) {
    if (left <= 0) break;
    const reason = `the report of this machine would hold more than ${most} ${unit}: of these, ${one.weight} are in this result`;
    one.result = failed(one.result.name, { returncode: 0, stdout: '', stderr: '', reason });
    left -= one.weight - weigh(one.result);
  }
  return weighed.map(({ result }) => result);
}

function keysIn(value: unknown): number {
  let keys = 0;
  const left = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const members = Object.values(one);
    if (!Array.isArray(one)) keys += members.length;
    for (const member of members) left.push(member);
  }
  return keys;
}
