import type { CheckResult } from '../core/check.ts';
import type { Clause, Clauses, Explanation } from '../core/check-book.ts';
import type { Fields } from '../core/value.ts';
import type { CheckRule } from './check-file.ts';
import { evidenceAt, whyUnknown } from './evidence.ts';
import { compileMembers, type MemberTests } from './matching-members.ts';
import { compileQuery } from './query.ts';

/** Retraces how a rule came to its result about a document: the steps of judge.ts, each with what it looked at. */
export function explain(rule: CheckRule, document: Fields, result: CheckResult | undefined): Explanation {
  const applies_to = rule.appliesTo === undefined ? null : clausesOf(rule.appliesTo, document);
  const steps = { applies_to, needs: null, unknown: null, query: null, result: result ?? null };
  if (result === undefined) return { ...steps, decided_by: 'applies_to' };
  if (applies_to?.holds === null) return { ...steps, decided_by: 'fault' };
  if (rule.unknown !== undefined) {
    const unknown = clausesOf(rule.unknown, document);
    if (unknown.holds === null) return { ...steps, unknown, decided_by: 'fault' };
    return unknown.holds
      ? { ...steps, unknown, decided_by: 'unknown' }
      : { ...steps, unknown, ...byQuery(rule, document) };
  }
  const needs = needsOf(rule, document);
  return needs.some(({ missing }) => missing !== null)
    ? { ...steps, needs, decided_by: 'needs' }
    : { ...steps, needs, ...byQuery(rule, document) };
}

function byQuery(rule: CheckRule, document: Fields): Pick<Explanation, 'query' | 'decided_by'> {
  const query = clausesOf(rule.query, document);
  return { query, decided_by: query.holds === null ? 'fault' : 'query' };
}

function needsOf({ needs }: CheckRule, document: Fields): NonNullable<Explanation['needs']> {
  return needs.map((path) => ({ path, found: valueAt(document, path), missing: whyUnknown(document, path) ?? null }));
}

function clausesOf(query: Record<string, unknown>, document: Fields): Clauses {
  const clauses = Object.entries(query).map(([key, condition]) => clauseOf(key, condition, document));
  return { holds: holds(query, document), clauses };
}

function clauseOf(key: string, condition: unknown, document: Fields): Clause {
  if (key === '$and' || key === '$or' || key === '$nor') {
    const members: unknown[] = Array.isArray(condition) ? condition : [];
    const of = members.map((member) => clausesOf(queryIn(member), document));
    return { operator: key, holds: holds({ [key]: condition }, document), of };
  }
  const held = holds({ [key]: condition }, document);
  const members = held === true ? compileMembers({ [key]: condition }) : undefined;
  return { path: key, condition, found: valueAt(document, key, members), holds: held };
}

function queryIn(member: unknown): Record<string, unknown> {
  return typeof member === 'object' && member !== null ? Object.fromEntries(Object.entries(member)) : {};
}

/** @returns null where the engine cannot compare what the host reported */
function holds(query: Record<string, unknown>, document: Fields): boolean | null {
  try {
    return compileQuery(query).matches(document);
  } catch {
    return null;
  }
}

function valueAt(document: Fields, path: string, members?: MemberTests): Fields[string] {
  return evidenceAt(document, [path], members)[path] ?? null;
}
