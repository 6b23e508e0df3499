import { queryFaults, queryPaths } from './query-faults.ts';

type Keys = Record<string, unknown>;

/** Takes a key of an override back to what it is where a check does not have it; texts may be that word, so not for them. */
const DEFAULT = 'default';
const RESETTABLE: readonly string[] = [
  ...['needs', 'unknown', 'on_unknown', 'applies_to', 'profiles', 'severity'],
  ...['grace_period', 'alert_frequency', 'tags', 'enabled'],
];

/** The keys of a check with those of an override over them: each replaces the former, but remedies of distributions are added. */
export function overlay(former: Keys, change: Keys): Keys {
  const keys = new Map(Object.entries(former));
  for (const [key, value] of Object.entries(change)) {
    if (value === DEFAULT && RESETTABLE.includes(key)) keys.delete(key);
    else if (key === 'remediation') keys.set(key, withRemedies(keys.get(key), value));
    else keys.set(key, value);
  }
  return Object.fromEntries(keys);
}

function withRemedies(former: unknown, change: unknown): unknown {
  if (!isGroup(change) || former === undefined) return change;
  const added = Object.keys(change).map((key) => key.toLowerCase());
  const kept = Object.entries(isGroup(former) ? former : { default: former });
  return { ...Object.fromEntries(kept.filter(([key]) => !added.includes(key.toLowerCase()))), ...change };
}

/**
 * What tells unknown from pass was written for the former query: a new one that looks elsewhere would pass where nothing is known.
 * @returns why the override cannot stand; undefined where it can
 */
export function staleKeys(former: Keys, change: Keys): string | undefined {
  if (!isQuery(change['query']) || !isQuery(former['query'])) return undefined;
  const stale = ['needs', 'unknown'].filter((key) => Object.hasOwn(former, key) && !Object.hasOwn(change, key));
  const needs = Array.isArray(former['needs']) ? former['needs'] : [];
  const known = [...queryPaths(former['query']), ...needs];
  const elsewhere = queryPaths(change['query']).filter((path) => !known.includes(path));
  if (stale.length === 0 || elsewhere.length === 0) return undefined;
  const which = stale.join(' and ');
  return `expected ${which} beside it (or \`default\` there), as it looks at ${elsewhere.join(', ')}, which the check that it changes does not`;
}

function isGroup(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isQuery(value: unknown): value is Keys {
  return isGroup(value) && queryFaults(value).length === 0;
}
