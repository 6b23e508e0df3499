import type { KnownCheck, KnownRule } from '../core/check-book.ts';
import { formatDuration } from '../core/duration.ts';
import type { Check, CheckRule, OnUnknown } from './check-file.ts';

/** A check in the words of its file. */
export function knownCheck(check: Check, shipped: boolean): KnownCheck {
  const { name, title, severity, enabled, file, tags, remediation, rule } = check;
  return {
    ...{ name, title, severity },
    rationale: check.rationale ?? null,
    profiles: check.profiles ?? null,
    on: enabled,
    off_by: enabled ? null : check.outsideProfile === true ? 'profile' : 'file',
    ...{ file, shipped },
    replaces: check.replaces ?? null,
    overridden_by: check.overriddenBy ?? [],
    rule: rule === undefined ? null : knownRule(rule),
    grace_period: formatDuration(check.gracePeriod),
    alert_frequency: formatDuration(check.alertFrequency),
    ...{ tags, remediation },
  };
}

function knownRule({ query, needs, unknown, onUnknown, appliesTo }: CheckRule): KnownRule {
  return { query, needs, unknown: unknown ?? null, on_unknown: inWords(onUnknown), applies_to: appliesTo ?? null };
}

function inWords(onUnknown: OnUnknown): string {
  return onUnknown.follows === 'issue-after' ? `issue-after ${formatDuration(onUnknown.after)}` : onUnknown.follows;
}
