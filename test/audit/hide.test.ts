import test from 'ava';
import type { Check } from '../../src/audit/check-file.ts';
import { hide } from '../../src/audit/hide.ts';
import { HIDDEN_BY, type HiddenBy, type OpenIssue } from '../../src/core/audit.ts';
import { days, hours, minutes, seconds } from '../../src/core/duration.ts';

const NOW = new Date('2026-03-02T12:00:00Z');
const ago = (duration: number) => new Date(NOW.getTime() - duration);

function anIssue(changes: Partial<OpenIssue> = {}): OpenIssue {
  const opened_at = ago(days(7));
  const told = { title: 'X', severity: 'high', due_at: opened_at, suspended: false } as const;
  return { hostname: 'a', name: 'x', opened_at, ...told, ...changes };
}

function aCheck(alertFrequency: number): Check {
  const card = { title: 'X', severity: 'high', gracePeriod: 0, tags: [], enabled: true, remediation: {} } as const;
  return { ...card, tags: [], name: 'x', file: 'x.yaml', alertFrequency };
}

function hiddenBy(issue: OpenIssue, frequency = hours(1), ignore: readonly HiddenBy[] = []): HiddenBy | undefined {
  return hide([issue], [aCheck(frequency)], { at: NOW, ignore }).issues[0]?.hidden_by;
}

test('an issue that nothing hides is alerted', (t) => {
  const { alerts, hidden } = hide([anIssue()], [], { at: NOW, ignore: [] });
  t.is(alerts.length, 1);
  t.deepEqual(Object.values(hidden), [0, 0, 0, 0, 0]);
});

function frequency(title: string, of: number, alerted: number, expected: HiddenBy | undefined) {
  test(`alerted ${title}`, (t) => t.is(hiddenBy(anIssue({ alerted_at: ago(alerted) }), of), expected));
}

frequency('half an hour ago, hourly: not again', hours(1), minutes(30), 'recent');
frequency('a little under 59 minutes ago, hourly: not again', hours(1), minutes(59) - 1, 'recent');
frequency('59 minutes ago, hourly: again, so that an hourly run does not miss', hours(1), minutes(59), undefined);
frequency('23 h 58 min ago, daily: not again', days(1), hours(23) + minutes(58), 'recent');
frequency('23 h 59 min ago, daily: again', days(1), hours(23) + minutes(59), undefined);
frequency('29 minutes ago, half-hourly: not again, for these are no whole hours', minutes(30), minutes(29), 'recent');
frequency('half an hour ago, half-hourly: again', minutes(30), minutes(30), undefined);
frequency('a second ago, each time: again', 0, seconds(1), undefined);
frequency('by a clock that was ahead: again', hours(1), -days(300), undefined);

test('a snooze hides until its end, and not after it', (t) => {
  t.is(hiddenBy(anIssue({ unsnooze_at: new Date(NOW.getTime() + 1) })), 'snoozed');
  t.is(hiddenBy(anIssue({ unsnooze_at: NOW })), undefined);
});

test('the grace period hides until its end, and not after it', (t) => {
  t.is(hiddenBy(anIssue({ due_at: new Date(NOW.getTime() + 1) })), 'grace');
  t.is(hiddenBy(anIssue({ due_at: NOW })), undefined);
});

const EVERYTHING = anIssue({
  suspended: true,
  unsnooze_at: new Date(NOW.getTime() + 1),
  due_at: new Date(NOW.getTime() + 1),
  alerted_at: NOW,
  linked_to: 'b',
});

test('of several reasons the first counts, and each can be ignored', (t) => {
  for (const [index, reason] of HIDDEN_BY.entries()) {
    t.is(hiddenBy(EVERYTHING, hours(1), HIDDEN_BY.slice(0, index)), reason);
  }
  t.is(hiddenBy(EVERYTHING, hours(1), HIDDEN_BY), undefined);
});

test('each hidden issue is counted once', (t) => {
  const issues = [EVERYTHING, anIssue({ linked_to: 'b' }), anIssue()];
  const { alerts, hidden } = hide(issues, [], { at: NOW, ignore: ['suspended'] });
  t.deepEqual([alerts.length, hidden], [1, { suspended: 0, snoozed: 1, grace: 0, recent: 0, filter: 1 }]);
});
