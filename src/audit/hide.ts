import { type AuditOptions, type AuditReport, HIDDEN_BY, type HiddenBy, type OpenIssue } from '../core/audit.ts';
import { hours, type Milliseconds, minutes } from '../core/duration.ts';
import { isSnoozed } from '../core/issue.ts';
import type { Check } from './check-file.ts';

/** A run that comes every hour comes a little sooner or later: an issue that is due with it is not to wait for the next one. */
const ALLOWANCE = minutes(1);
const DEFAULT_FREQUENCY = hours(1);

/** Tells apart what is to be alerted now, and what not, and why. */
export function hide(
  open: readonly OpenIssue[],
  checks: readonly Check[],
  { at, ignore }: Pick<AuditOptions, 'ignore'> & { at: Date },
): Pick<AuditReport, 'issues' | 'alerts' | 'hidden'> {
  const frequencies = new Map(checks.map(({ name, alertFrequency }) => [name, alertFrequency]));
  const asked = HIDDEN_BY.filter((reason) => !ignore.includes(reason));
  const hidden: Record<HiddenBy, number> = { suspended: 0, snoozed: 0, grace: 0, recent: 0, filter: 0 };
  const issues = open.map((issue) => {
    const quiet = quietFor(frequencies.get(issue.name) ?? DEFAULT_FREQUENCY);
    const hidden_by = asked.find((reason) => HIDES[reason](issue, at, quiet));
    if (hidden_by === undefined) return issue;
    hidden[hidden_by] += 1;
    return Object.assign({}, issue, { hidden_by });
  });
  return { issues, alerts: issues.filter(({ hidden_by }) => hidden_by === undefined), hidden };
}

const HIDES: Record<HiddenBy, (issue: OpenIssue, at: Date, quiet: Milliseconds) => boolean> = {
  suspended: ({ suspended }) => suspended,
  snoozed: isSnoozed,
  grace: ({ due_at }, at) => due_at > at,
  // One that was alerted after now was so by a clock that was wrong: it must not stay quiet until then.
  recent: ({ alerted_at }, at, quiet) =>
    alerted_at !== undefined && alerted_at <= at && at.getTime() - alerted_at.getTime() < quiet,
  filter: ({ linked_to }) => linked_to !== undefined,
};

/** How long after an alert the same issue is not alerted again. */
function quietFor(frequency: Milliseconds): Milliseconds {
  return frequency > 0 && frequency % hours(1) === 0 ? frequency - ALLOWANCE : frequency;
}
