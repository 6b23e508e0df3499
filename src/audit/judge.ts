import { createHash } from 'node:crypto';
import type { Profile } from '../core/audit.ts';
import type { CheckResult, Judge, Judgement } from '../core/check.ts';
import { messageOf } from '../core/errors.ts';
import type { Fields } from '../core/value.ts';
import { releaseOf } from './agent-version.ts';
import { type Body, bodiesOf, unchangedBodies } from './bodies.ts';
import type { Check, CheckRule, OnUnknown } from './check-file.ts';
import type { CheckProblem } from './check-problem.ts';
import { compileDerived, isDerived, type Knowledge } from './derived.ts';
import { evidenceAt, whyUnknown } from './evidence.ts';
import { loadAdvisories } from './load-advisories.ts';
import { loadChecks } from './load-checks.ts';
import { compileMembers } from './matching-members.ts';
import { compileQuery } from './query.ts';
import { queryPaths } from './query-faults.ts';

/** Raised when the same rules would be answered differently: every host is then evaluated again. */
const ENGINE = 1;

/**
 * Reads the checks and makes them judge hosts.
 * @param folders a later one's check replaces the one of its name in an earlier, or changes it
 * @param options.profile checks that are for others only are off
 * @param options.advisories the folder of security advisories, where there is one
 * @param options.version of the product: what agents' versions are compared with
 * @returns `checks`: all that could be read, switched off ones too; `problems`: what could not
 */
export async function loadJudge(
  folders: readonly string[],
  {
    profile,
    advisories,
    version,
  }: { profile?: Profile | undefined; advisories?: string | undefined; version?: string | undefined } = {},
): Promise<{ judge: Judge; checks: Check[]; problems: CheckProblem[] }> {
  const [{ checks, problems }, known] = await Promise.all([loadChecks(folders, profile), loadAdvisories(advisories)]);
  const judge = makeJudge(checks, problems, { advisories: known.advisories, version }, 'fails');
  return { judge, checks, problems: [...problems, ...known.problems] };
}

/**
 * @param problems what could not be read: a check that broke keeps what it last said, until it is mended or removed,
 *   so that a slip in a file neither closes its issues nor opens them anew
 * @param knowledge what checks find at `advisories` and `agent` is made of it
 * @param tells which answers bear evidence and reason: all, or those from which an issue follows, which is what is worth storing
 */
export function makeJudge(
  checks: readonly Check[],
  problems: readonly CheckProblem[] = [],
  knowledge: Knowledge = {},
  tells: Tells = 'all',
): Judge {
  const rules = checks.flatMap(({ name, enabled, rule }) => (enabled && rule !== undefined ? [{ name, rule }] : []));
  const derive = compileDerived(knowledge);
  const tests = rules.map(({ name, rule }) => ({ name, judge: compileRule(rule, derive, tells) }));
  const known = new Set(checks.map(({ name }) => name));
  const broken = [...new Set(problems.map(({ name }) => name ?? ANY))].filter((name) => !known.has(name)).sort();
  const version = createHash('sha256')
    .update(JSON.stringify([ENGINE, rules, ...digestsOf(knowledge)]))
    .digest('hex')
    .slice(0, 32);
  return {
    version,
    judge(document, previous, at, seen) {
      const unchanged = previous?.version === version && seen !== undefined ? unchangedBodies(seen, document) : NOTHING;
      const results = heldResults(previous, known, broken);
      const deadlines: number[] = [];
      for (const { name, judge } of tests) {
        const before =
          previous !== undefined && Object.hasOwn(previous.results, name) ? previous.results[name] : undefined;
        const judged = judge(document, { before, unchanged }, at);
        if (judged === undefined) continue;
        results[name] = judged.result;
        if (judged.deadline !== undefined) deadlines.push(judged.deadline);
      }
      return {
        version,
        evaluated_at: at,
        results,
        ...(deadlines.length === 0 ? {} : { deadline_at: new Date(Math.min(...deadlines)) }),
      };
    },
  };
}

/** What of it makes another answer. */
function digestsOf({ advisories, version }: Knowledge): string[] {
  return [advisories?.digest, version === undefined ? undefined : releaseOf(version)].filter(
    (each) => each !== undefined,
  );
}

/** Stands for the name of a problem that may be about any check: a folder that cannot be read. */
const ANY = '*';

const NOTHING = () => false;

function heldResults(
  previous: Judgement | undefined,
  known: ReadonlySet<string>,
  broken: readonly string[],
): Judgement['results'] {
  if (broken.length === 0) return {};
  const held = Object.entries(previous?.results ?? {}).filter(
    ([name]) => !known.has(name) && (broken.includes(name) || broken.includes(ANY)),
  );
  return Object.fromEntries(held);
}

type Tells = 'fails' | 'all';

/** Milliseconds since 1970 at which the answer's consequence changes by itself. */
type Judged = { result: CheckResult; deadline?: number };
type Finding = Pick<CheckResult, 'answer' | 'reason'>;

/** What the same check said before, and of which bodies it would say so again. */
interface Former {
  before: CheckResult | undefined;
  unchanged: (body: Body) => boolean;
}

/** @returns what judges one document; it answers undefined for a host that the check is not for */
function compileRule(
  rule: CheckRule,
  derive: (document: Fields) => Fields,
  tells: Tells,
): (document: Fields, former: Former, at: Date) => Judged | undefined {
  const find = compileFinding(rule);
  const members = compileMembers(rule.query);
  const bodies = bodiesOf(rule);
  const isFor = rule.appliesTo === undefined ? undefined : compileQuery(rule.appliesTo);
  const paths = [...new Set([...rule.needs, ...queryPaths(rule.query)])].sort();
  const asked = [...paths, ...[rule.unknown, rule.appliesTo].flatMap((each) => queryPaths(each ?? {}))];
  const needsDerived = asked.some(isDerived);
  return (reported, { before, unchanged }, at) => {
    if (before !== undefined && bodies?.every(unchanged)) {
      const { fails, deadline } = consequence(before, rule.onUnknown, before.since, at);
      if (!fails && tells === 'fails') return judged(bare(before), deadline);
      // What has come to count as a fail is to be told with what nobody kept so far.
      if (before.evidence !== undefined) return judged({ ...before, fails }, deadline);
    }
    const document = needsDerived ? derive(reported) : reported;
    const finding = guarded(() => (isFor === undefined || isFor.matches(document) ? find(document) : undefined));
    if (finding === undefined) return undefined;
    const since = before?.answer === finding.answer ? before.since : at;
    const { fails, deadline } = consequence(finding, rule.onUnknown, since, at);
    if (!fails && tells === 'fails') return judged(bare({ ...finding, since }), deadline);
    const evidence = evidenceAt(document, paths, finding.answer === 'fail' ? members : undefined);
    return judged({ ...finding, fails, evidence, since }, deadline);
  };
}

/** An answer from which no issue follows. */
function bare({ answer, since }: Pick<CheckResult, 'answer' | 'since'>): CheckResult {
  return { answer, fails: false, since };
}

function judged(result: CheckResult, deadline: number | undefined): Judged {
  return deadline === undefined ? { result } : { result, deadline };
}

function compileFinding(rule: CheckRule): (document: Fields) => Finding {
  const query = compileQuery(rule.query);
  const unknown = rule.unknown === undefined ? undefined : compileQuery(rule.unknown);
  const why = (document: Fields) => {
    for (const path of rule.needs) {
      const reason = whyUnknown(document, path);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
  return (document) => {
    if (unknown === undefined) {
      const reason = why(document);
      if (reason !== undefined) return { answer: 'unknown', reason };
    } else if (unknown.matches(document)) {
      return { answer: 'unknown', reason: why(document) ?? `nothing can be said from ${rule.needs.join(', ')}` };
    }
    return { answer: query.matches(document) ? 'fail' : 'pass' };
  };
}

/** A host chooses what it reports, so nothing in there may break the other checks, or the report. */
function guarded(find: () => Finding | undefined): Finding | undefined {
  try {
    return find();
  } catch (error) {
    return { answer: 'unknown', reason: `cannot evaluate what the host reported: ${messageOf(error)}` };
  }
}

function consequence(
  { answer }: Finding,
  onUnknown: OnUnknown,
  since: Date,
  at: Date,
): { fails: boolean; deadline?: number } {
  if (answer !== 'unknown') return { fails: answer === 'fail' };
  switch (onUnknown.follows) {
    case 'ignore':
      return { fails: false };
    case 'fail':
      return { fails: true };
    case 'issue-after': {
      const deadline = since.getTime() + onUnknown.after;
      return at.getTime() >= deadline ? { fails: true } : { fails: false, deadline };
    }
    default:
      return onUnknown satisfies never;
  }
}
