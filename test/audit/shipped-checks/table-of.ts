import test from 'ava';
import { makeJudge } from '../../../src/audit/judge.ts';
import { loadChecks } from '../../../src/audit/load-checks.ts';
import type { Fields } from '../../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const loaded = loadChecks(['checks.d']);

/** What a host reports, and what the check makes of it; undefined: the check is not for such a host. */
export type Rows = Record<string, [plugins: Fields, answer: 'pass' | 'fail' | 'unknown' | undefined]>;

/** Tests a shipped check, switched on if it comes switched off. No unknown opens an issue at once, unless `unknownFails`. */
export function tableOf(name: string, rows: Rows, { unknownFails = false } = {}): void {
  test(`${name} can be read, and tells people what to do`, async (t) => {
    const check = (await loaded).checks.find((each) => each.name === name);
    t.truthy(check?.remediation['default']);
  });
  for (const [title, [plugins, answer]] of Object.entries(rows)) {
    test(`${name}: ${title}`, async (t) => {
      const checks = (await loaded).checks
        .filter((check) => check.name === name)
        .map((check) => ({ ...check, enabled: true }));
      const result = makeJudge(checks).judge({ hostname: 'laptop', plugins }, undefined, AT).results[name];
      t.is(result?.answer, answer);
      if (answer !== undefined) t.is(result?.fails, answer === 'fail' || (answer === 'unknown' && unknownFails));
    });
  }
}

/** What a collector that failed is reported as. */
export const FAILED = { stdout: '', stderr: 'boom', returncode: 1 };
