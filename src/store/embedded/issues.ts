import type { Issue } from '../../core/issue.ts';
import { type Fields, isFields, type Value } from '../../core/value.ts';
import type { IssueFilter, IssueOf } from '../port.ts';
import { fieldsOfText, fromText, toText } from '../portable.ts';
import { hostsByIssue, ISSUE_TIMES } from '../records.ts';
import type { Bindable, Engine, Row } from './engine.ts';
import { date, optionalDate, optionalInteger, text, time } from './row.ts';

/** The unique index over open issues is the guard, and that nobody closed it by hand since what shows it came. */
export function openIssue(engine: Engine, hostname: string, name: string, at: Date, shown_at = at): boolean {
  const sql = `INSERT INTO issues (hostname, name, opened_at, open, other) SELECT ?1, ?2, ?3, 1, '{}'
    WHERE NOT EXISTS (SELECT 1 FROM issues WHERE hostname = ?1 AND name = ?2 AND held = 1 AND closed_at >= ?4) ON CONFLICT DO NOTHING`;
  return engine.run(sql, hostname, name, time(at), time(shown_at)) > 0;
}

/** Closes duplicates that an original database may hold, too. */
export function closeIssue(engine: Engine, hostname: string, name: string, at: Date): boolean {
  const sql = 'UPDATE issues SET closed_at = ?, open = NULL WHERE hostname = ? AND name = ? AND closed_at IS NULL';
  return engine.run(sql, time(at), hostname, name) > 0;
}

/** A page of open issues after the one named, by host name, then name. */
export function pageOfOpenIssues(
  engine: Engine,
  filter: IssueFilter,
  after: Pick<Issue, 'hostname' | 'name'>,
  limit: number,
): Issue[] {
  const { where, values } = condition(filter);
  return engine
    .all(
      `SELECT * FROM issues WHERE open = 1 AND (hostname, name) > (?, ?) AND ${where} ORDER BY hostname, name LIMIT ?`,
      after.hostname,
      after.name,
      ...values,
      limit,
    )
    .map(issueIn);
}

export function issueHistory(engine: Engine, filter: IssueFilter & { limit: number }): Issue[] {
  const { where, values } = condition(filter);
  return engine
    .all(`SELECT * FROM issues WHERE ${where} ORDER BY opened_at DESC, id DESC LIMIT ?`, ...values, filter.limit)
    .map(issueIn);
}

/** As issueOf reads its document. */
function issueIn(row: Row): Issue {
  const issue: Issue = { hostname: text(row, 'hostname'), name: text(row, 'name'), opened_at: date(row, 'opened_at') };
  for (const name of ISSUE_TIMES) {
    const at = optionalDate(row, name);
    if (at !== undefined) issue[name] = at;
  }
  const other = text(row, 'other');
  if (other !== NOTHING && fieldsOfText(other)?.['by_hand'] === true) issue.by_hand = true;
  return issue;
}

const NOTHING = '{}';

/** Few names, many hosts: one statement for those that share a name. */
export function markAlerted(engine: Engine, issues: readonly IssueOf[], at: Date): void {
  const sql = `UPDATE issues SET alerted_at = ? WHERE open = 1 AND name = ? AND hostname IN (SELECT value FROM json_each(?))`;
  engine.transaction(() => {
    for (const [name, hostnames] of hostsByIssue(issues)) engine.run(sql, time(at), name, JSON.stringify(hostnames));
  });
}

export interface Consequences {
  opened: string[];
  closed: string[];
}

export function reconcile(
  engine: Engine,
  hostname: string,
  failing: string[],
  passing: string[],
  at: Date,
  shown_at = at,
): Consequences {
  return engine.transaction(() => {
    const { opened, closed } = consequencesFor(engine, { hostname, failing, passing, shown_at });
    return {
      opened: opened.filter((name) => openIssue(engine, hostname, name, at, shown_at)),
      closed: closed.filter((name) => closeIssue(engine, hostname, name, at)),
    };
  });
}

/** What is to be opened and closed as the issues are now; most often nothing is. */
export function consequencesFor(
  engine: Engine,
  { hostname, failing, passing, shown_at }: { hostname: string; failing: string[]; passing: string[]; shown_at: Date },
): Consequences {
  const rows = engine.all(
    `SELECT name, open, NULL AS held FROM issues WHERE hostname = ?1 AND closed_at IS NULL
     UNION ALL SELECT name, NULL, 1 FROM issues WHERE hostname = ?1 AND held = 1 AND closed_at >= ?2`,
    hostname,
    time(shown_at),
  );
  const there = new Set<string>();
  const unclosed = new Set<string>();
  for (const row of rows) {
    const [name, held] = [text(row, 'name'), optionalInteger(row, 'held') === 1];
    if (held || optionalInteger(row, 'open') === 1) there.add(name);
    if (!held) unclosed.add(name);
  }
  return {
    opened: failing.filter((name) => !there.has(name)),
    closed: passing.filter((name) => unclosed.has(name)),
  };
}

/** @param document in portable form. markOpen comes after the last. */
export function addIssue(engine: Engine, document: Fields): void {
  const { hostname, name, opened_at, ...rest } = document;
  const columns: Record<string, Bindable> = {};
  const other: Fields = {};
  for (const [key, value] of Object.entries(rest)) {
    if (key === 'held' && value === true) columns[key] = 1;
    else if (ISSUE_TIMES.some((known) => known === key) && value instanceof Date) columns[key] = time(value);
    else other[key] = value;
  }
  const id = { hostname, name, opened_at } satisfies Record<string, Value | undefined>;
  if (typeof hostname !== 'string' || typeof name !== 'string' || !(opened_at instanceof Date)) {
    throw new TypeError(`expected an issue in a document of issues, got ${JSON.stringify(id)}`);
  }
  const values = { hostname, name, opened_at: time(opened_at), ...columns, other: toText(other) };
  const names = Object.keys(values);
  engine.run(
    `INSERT INTO issues (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    ...Object.values(values),
  );
}

/** One open episode of each problem, the oldest; an original database may hold more. */
export function markOpen(engine: Engine): void {
  engine.run(
    `UPDATE issues SET open = 1 WHERE open IS NULL AND closed_at IS NULL AND NOT EXISTS (
       SELECT 1 FROM issues AS o WHERE o.hostname = issues.hostname AND o.name = issues.name AND o.closed_at IS NULL
         AND (o.opened_at, o.id) < (issues.opened_at, issues.id))`,
  );
}

/** In portable form. */
export function issueDocument(row: Row): Fields {
  const other = fromText(text(row, 'other'));
  const document: Fields = isFields(other) ? other : {};
  document['hostname'] = text(row, 'hostname');
  document['name'] = text(row, 'name');
  document['opened_at'] = date(row, 'opened_at');
  for (const name of ISSUE_TIMES) {
    const at = optionalDate(row, name);
    if (at !== undefined) document[name] = at;
  }
  if (optionalInteger(row, 'held') === 1) document['held'] = true;
  return document;
}

export function condition({ hostnames, names }: IssueFilter): { where: string; values: Bindable[] } {
  const parts = ['1'];
  const values: Bindable[] = [];
  for (const [column, list] of Object.entries({ hostname: hostnames, name: names })) {
    if (list === undefined) continue;
    parts.push(`${column} IN (SELECT value FROM json_each(?))`);
    values.push(JSON.stringify(list));
  }
  return { where: parts.join(' AND '), values };
}
