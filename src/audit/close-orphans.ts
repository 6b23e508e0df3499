import { BUILT_IN_ISSUES, type Issue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import type { HostFacts } from './list-open.ts';

/** What the original raised from facts that are not looked at here: an original database's open ones are left as they are. */
const OF_THE_ORIGINAL = [
  'eraagent-absent',
  'eraagent-stopped',
  'eset-absent',
  'eset-out-of-date',
  'eset-stopped',
  'guest-session-enabled',
  'no-location',
  'pending-patches',
  'screenlock-disabled',
];

/**
 * Closes open issues that nothing will ever close: of checks that are switched off or gone, of hosts that a check is not
 * for (any more), and of hosts that are gone.
 * @returns the others
 */
export async function closeOrphans(
  deps: AuditDeps,
  issues: readonly Issue[],
  hosts: ReadonlyMap<string, HostFacts>,
  at: Date,
  changes: Changes,
): Promise<Issue[]> {
  const left: Issue[] = [];
  for (const issue of issues) {
    if (!isOrphan(deps, issue, hosts.get(issue.hostname))) left.push(issue);
    else if (await deps.store.issues.close(issue.hostname, issue.name, at)) {
      changes.note(issue.hostname, { closed: [issue.name] });
    }
  }
  return left;
}

function isOrphan({ checks, problems, judge }: AuditDeps, { name }: Issue, host: HostFacts | undefined): boolean {
  if (BUILT_IN_ISSUES.some((each) => each === name)) return false;
  const check = checks.find((each) => each.name === name);
  if (check === undefined) {
    const broken = problems.some((problem) => problem.name === undefined || problem.name === name);
    return !broken && !OF_THE_ORIGINAL.includes(name);
  }
  if (!check.enabled || host === undefined) return true;
  return host.version === judge.version && !Object.hasOwn(host.results, name);
}
