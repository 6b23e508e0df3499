import type { Value } from '../core/value.ts';
import { compileQuery, type Predicate } from './query.ts';

/** Path of a list → whether one of its members is what a query asks for there. */
export type MemberTests = ReadonlyMap<string, (member: Value) => boolean>;

/** What tells, in each list that a query asks for a member of (`$elemMatch`), that member from the others. */
export function compileMembers(query: Record<string, unknown>): MemberTests {
  const tests = new Map<string, ((member: Value) => boolean)[]>();
  for (const [path, condition] of elementConditions(query)) {
    const predicate = compileQuery({ list: { $elemMatch: condition } });
    tests.set(path, [...(tests.get(path) ?? []), (member) => isFound(predicate, member)]);
  }
  return new Map([...tests].map(([path, any]) => [path, (member: Value) => any.some((matches) => matches(member))]));
}

/** What a host reported beside the member that was found may be what the engine cannot compare. */
function isFound(predicate: Predicate, member: Value): boolean {
  try {
    return predicate.matches({ list: [member] });
  } catch {
    return false;
  }
}

/** Not those of `$nor`: what they match speaks against the answer. */
function elementConditions(query: Record<string, unknown>): [path: string, condition: unknown][] {
  return Object.entries(query).flatMap(([key, value]): [string, unknown][] => {
    if (key === '$and' || key === '$or')
      return Array.isArray(value) ? value.filter(isGroup).flatMap(elementConditions) : [];
    return isGroup(value) && value['$elemMatch'] !== undefined ? [[key, value['$elemMatch']]] : [];
  });
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
