import type { HeldIssue } from '../../core/issue.ts';
import type { IssueFilter, IssueOf } from '../port.ts';
import type { Bindable, Engine } from './engine.ts';
import { condition } from './issues.ts';
import { date, text, time } from './row.ts';

/** What an operator does to issues: each one statement, that says whom it befell. */
export function openByHand(engine: Engine, hostname: string, name: string, at: Date): boolean {
  const sql = `INSERT INTO issues (hostname, name, opened_at, open, other) VALUES (?, ?, ?, 1, '{"by_hand":true}') ON CONFLICT DO NOTHING`;
  return engine.run(sql, hostname, name, time(at)) > 0;
}

export function snooze(engine: Engine, filter: IssueFilter, until: Date, at: Date): IssueOf[] {
  const { where, values } = condition(filter);
  const sql = `UPDATE issues SET snoozed_at = ?, unsnooze_at = ?, unsnoozed_at = NULL
    WHERE open = 1 AND (unsnooze_at IS NULL OR unsnooze_at < ?) AND ${where} RETURNING hostname, name`;
  return changed(engine, sql, [time(at), time(until), time(until), ...values]);
}

export function unsnooze(engine: Engine, filter: IssueFilter, at: Date): IssueOf[] {
  const { where, values } = condition(filter);
  const sql = `UPDATE issues SET unsnooze_at = ?, unsnoozed_at = ? WHERE open = 1 AND unsnooze_at > ? AND ${where} RETURNING hostname, name`;
  return changed(engine, sql, [time(at), time(at), time(at), ...values]);
}

/** Closes duplicates that an original database may hold, too; one of them keeps the issue closed. */
export function closeByHand(engine: Engine, filter: IssueFilter, at: Date): IssueOf[] {
  const { where, values } = condition(filter);
  const sql = `UPDATE issues SET closed_at = ?, held = 1, open = NULL WHERE closed_at IS NULL AND ${where} RETURNING hostname, name`;
  return changed(engine, sql, [time(at), ...values]);
}

export function heldIssues(engine: Engine): HeldIssue[] {
  return engine
    .all('SELECT hostname, name, closed_at FROM issues WHERE held = 1 AND closed_at IS NOT NULL')
    .map((row) => ({ hostname: text(row, 'hostname'), name: text(row, 'name'), closed_at: date(row, 'closed_at') }));
}

export function release(engine: Engine, held: readonly HeldIssue[]): void {
  engine.transaction(() => {
    for (const { hostname, name, closed_at } of held) {
      const sql = 'UPDATE issues SET held = NULL WHERE hostname = ? AND name = ? AND held = 1 AND closed_at <= ?';
      engine.run(sql, hostname, name, time(closed_at));
    }
  });
}

function changed(engine: Engine, sql: string, values: Bindable[]): IssueOf[] {
  const found = new Map<string, IssueOf>();
  for (const row of engine.all(sql, ...values)) {
    const issue = { hostname: text(row, 'hostname'), name: text(row, 'name') };
    found.set(`${issue.hostname} ${issue.name}`, issue);
  }
  return [...found.values()].sort(byHostAndName);
}

export function byHostAndName(a: IssueOf, b: IssueOf): number {
  if (a.hostname !== b.hostname) return a.hostname < b.hostname ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
