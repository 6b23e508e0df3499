import type { HostFacts } from '../core/host.ts';
import { BUILT_IN_ISSUES, type Issue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { eachOf } from './each-of.ts';

/** What the original raised from facts that are not looked at here: an original database's open ones are left as they are. */
const OF_THE_ORIGINAL = [
  'eraagent-absent',
  'eraagent-stopped',
  'eset-absent',
  'eset-out-of-date',
  'eset-stopped',
  'guest-session-enabled',
  'no-location',
  'screenlock-disabled',
];

/**
 * Closes open issues that nothing will ever close: of checks that are switched off or gone, of hosts that a check is not
 * for (any more), and of hosts that are gone. What an operator opened stays.
 * @returns the others
 */
export async function closeOrphans(
  deps: AuditDeps,
  issues: readonly Issue[],
  hosts: ReadonlyMap<string, HostFacts>,
  at: Date,
  changes: Changes,
): Promise<Issue[]> {
  const orphans = new Set(issues.filter((issue) => isOrphan(deps, issue, hosts.get(issue.hostname))));
  const end = async ({ hostname, name }: Issue) => {
    if (await deps.store.issues.close(hostname, name, at)) changes.note(hostname, { closed: [name] });
  };
  await eachOf(orphans, end, deps);
  return issues.filter((issue) => !orphans.has(issue));
}

function isOrphan(
  { checks, problems, judge }: AuditDeps,
  { name, by_hand }: Issue,
  host: HostFacts | undefined,
): boolean {
  if (by_hand === true || BUILT_IN_ISSUES.some((each) => each === name)) return false;
  const check = checks.find((each) => each.name === name);
  if (check === undefined) {
    const broken = problems.some((problem) => problem.name === undefined || problem.name === name);
    return !broken && !OF_THE_ORIGINAL.includes(name);
  }
  if (!check.enabled || host === undefined) return true;
  return host.version === judge.version && !Object.hasOwn(host.results, name);
}
