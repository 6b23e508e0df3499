import { $exists } from 'mingo/operators/query/element';
import { getField, isFields, type Value } from '../core/value.ts';

/**
 * mingo's `$exists`, which builds a graph of what it finds, at a tenth of the cost where a path leads through no list.
 * Every other check asks it, of every host.
 */
export function exists(...[path, wanted, options]: Parameters<typeof $exists>): ReturnType<typeof $exists> {
  const general = $exists(path, wanted, options);
  if (path.includes('__proto__')) return general;
  const steps = path.split('.');
  return (document) => {
    const found = follow(document, steps);
    return found === ELSEWHERE ? general(document) : found === Boolean(wanted);
  };
}

const ELSEWHERE = Symbol('not by objects alone');

function follow(document: unknown, steps: readonly string[]): boolean | typeof ELSEWHERE {
  let at: unknown = document;
  for (const step of steps) {
    if (!isFields(at)) return ELSEWHERE;
    const next: Value | undefined = getField(at, step);
    if (next === undefined) return false;
    at = next;
  }
  return true;
}
