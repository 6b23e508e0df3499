import type { OpenIssue } from '../core/audit.ts';
import type { CheckResult } from '../core/check.ts';
import type { Clause, Clauses, Explanation, KnownCheck } from '../core/check-book.ts';
import { parseDuration } from '../core/duration.ts';
import { isSnoozed } from '../core/issue.ts';
import { bold, severityColor } from './colors.ts';
import type { Output } from './context.ts';
import { showOrigin } from './find-check.ts';
import { harmless } from './harmless.ts';
import { DECIDING, showAnswer, showValue } from './show-answer.ts';
import { showTime, showWait } from './show-time.ts';

/** All that is known of one check and one host. */
export interface Explained {
  hostname: string;
  check: KnownCheck;
  /** null: no query decides it */
  path: Explanation | null;
  /** what was last said of the host, in a report or an audit */
  stored: CheckResult | null;
  /** null: none is open */
  issue: OpenIssue | null;
}

/** The way to an answer as numbered steps, in the order in which the judge takes them. */
export function printExplanation(output: Output, explained: Explained, now: Date): void {
  const { hostname, check, path } = explained;
  output.line(`${bold(output, check.name)} on ${bold(output, hostname)}: ${headline(output, explained)}`);
  output.line(`${check.title} (${check.severity}; ${showOrigin(check)})`);
  output.line();
  const steps = [
    ...stateSteps(check),
    ...(path === null ? [['the product itself raises it: no query decides']] : pathSteps(check, path)),
    ...followSteps(explained, now),
    [issueState(explained, now)],
  ];
  for (const [index, [first = '', ...more]] of steps.entries()) {
    output.line(`${index + 1}. ${first}`);
    for (const line of more) output.line(`     ${line}`);
  }
}

function headline(output: Output, { check, path, issue }: Explained): string {
  if (path === null) return issue === null ? 'no issue' : severityColor(output, check.severity, 'an open issue');
  const { result } = path;
  if (result === null) return 'not for this host';
  const answer = showAnswer(result);
  return result.fails ? severityColor(output, check.severity, answer) : answer;
}

/** The first line of each says how it turned out. */
type Step = string[];

function stateSteps({ on, off_by }: KnownCheck): Step[] {
  if (on) return [];
  const why = off_by === 'profile' ? 'it is not for the profile of the settings' : '`enabled: false`';
  return [[`the check is off (${why}): what follows is what it would say`]];
}

function pathSteps({ rule }: KnownCheck, path: Explanation): Step[] {
  const { applies_to, needs, unknown, query } = path;
  const steps: Step[] = [
    applies_to === null
      ? ['applies_to: it is for all hosts']
      : [
          `applies_to: ${outcome(applies_to, 'it is for this host', 'it is not for this host')}`,
          ...clauseLines(applies_to),
        ],
  ];
  if (needs !== null) {
    const missing = needs.some((need) => need.missing !== null);
    const lines = needs.map(
      ({ path: at, found, missing: why }) =>
        `${mark(why === null)} ${at} = ${showValue(found)}${why === null ? '' : `: ${why}`}`,
    );
    steps.push([missing ? 'needs: something is missing, so the answer is unknown' : 'needs: all are there', ...lines]);
  }
  if (unknown !== null) {
    const said = outcome(unknown, 'matches, so the answer is unknown', 'does not match, so there is an answer');
    steps.push([`unknown: ${said}`, ...clauseLines(unknown)]);
  }
  if (query !== null) {
    const said = outcome(query, 'matches, so the answer is fail', 'does not match, so the answer is pass');
    steps.push([`query: ${said}`, ...clauseLines(query)]);
  }
  if (path.result?.answer === 'unknown' && rule !== null) {
    const { reason } = path.result;
    const why = reason === undefined || path.decided_by === 'needs' ? [] : [harmless(reason)];
    steps.push([onUnknown(rule.on_unknown, path.result), ...why]);
  }
  return steps;
}

function outcome({ holds }: Clauses, yes: string, no: string): string {
  if (holds === null) return 'cannot be evaluated, so the answer is unknown';
  return holds ? yes : no;
}

function clauseLines({ clauses }: Clauses, indent = ''): string[] {
  return clauses.flatMap((clause) => linesOf(clause).map((line) => `${indent}${line}`));
}

function linesOf(clause: Clause): string[] {
  if ('path' in clause) {
    const { path, condition, found, holds } = clause;
    return [
      `${mark(holds)} ${path}: ${showValue(condition)}, found ${showValue(found, holds === true ? DECIDING : undefined)}`,
    ];
  }
  const members = clause.of.flatMap((member) =>
    member.clauses.length === 1
      ? clauseLines(member, '  ')
      : [`  ${mark(member.holds)} all of`, ...clauseLines(member, '    ')],
  );
  return [`${mark(clause.holds)} ${GROUPS[clause.operator]}`, ...members];
}

const GROUPS = { $and: 'all of', $or: 'any of', $nor: 'none of' };

function mark(holds: boolean | null): string {
  if (holds === null) return '?  ';
  return holds ? 'yes' : 'no ';
}

function onUnknown(text: string, { fails, since }: CheckResult): string {
  const after = parseDuration(/^issue-after (\S+)$/.exec(text)?.[1] ?? '');
  if (after === undefined) return `on_unknown: ${text}, so it ${fails ? 'counts as fail' : 'opens no issue'}`;
  const end = showTime(new Date(since.getTime() + after));
  const said = fails ? `it has counted as fail since ${end}` : `it counts as fail from ${end} on`;
  return `on_unknown: ${text}; unknown since ${showTime(since)}, so ${said}`;
}

/** Where the hosts were judged otherwise the last time, the issue is of that answer. */
function followSteps({ path, stored }: Explained, now: Date): Step[] {
  if (path === null) return [];
  const { result } = path;
  if (result?.answer === stored?.answer && result?.fails === stored?.fails) {
    return result === null ? [] : [[`the answer has been ${showAnswer(result)} since ${showTime(result.since)}`]];
  }
  const before = stored === null ? 'nothing' : `${showAnswer(stored)}, since ${showTime(stored.since)}`;
  const when = result?.since.getTime() === now.getTime() ? 'changed since' : 'is another one now';
  return [[`what was last said is ${before}; the answer ${when}: \`penguindome issues audit\` takes it over`]];
}

function issueState({ check, issue, path }: Explained, now: Date): string {
  if (issue === null) {
    const due = path?.result?.fails === true && check.on;
    return due ? 'no issue is open yet: the next report or `penguindome issues audit` opens it' : 'no issue is open';
  }
  const grace =
    issue.due_at > now ? `the grace period (${check.grace_period}) ends ${showWait(issue.due_at, now)}` : undefined;
  const snoozed = isSnoozed(issue, now) ? `snoozed until ${showTime(issue.unsnooze_at)}` : undefined;
  const notes = [grace, snoozed, issue.suspended ? 'the host is suspended' : undefined].filter(
    (note) => note !== undefined,
  );
  return [`an issue is open since ${showTime(issue.opened_at)}`, ...notes].join('; ');
}
