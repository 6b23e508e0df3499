import type { OpenIssue } from '../core/audit.ts';
import type { CheckResult } from '../core/check.ts';
import type { Host } from '../core/host.ts';
import type { Issue } from '../core/issue.ts';
import { valueAt } from '../core/value.ts';
import type { AuditDeps } from './audit-deps.ts';
import { remediationFor } from './remediation-for.ts';

type Deps = Pick<AuditDeps, 'store' | 'checks' | 'calendar'>;

/** What is kept of a host with open issues: its document may be megabytes. */
export interface HostFacts {
  suspended: boolean;
  /** `plugins.os_info.distname`, lower case */
  distribution: string;
  /** of the judgement */
  version: string | undefined;
  results: Record<string, CheckResult>;
}

/** All open issues, and what is known of the hosts that have one: the cost is what is open, not the fleet. */
export async function readOpen({
  store,
}: Pick<Deps, 'store'>): Promise<{ issues: Issue[]; hosts: Map<string, HostFacts> }> {
  const issues: Issue[] = [];
  for await (const issue of store.issues.listOpen()) issues.push(issue);
  const hostnames = [...new Set(issues.map(({ hostname }) => hostname))];
  const hosts = new Map<string, HostFacts>();
  for (let from = 0; from < hostnames.length; from += HOSTS_AT_ONCE) {
    const some = hostnames.slice(from, from + HOSTS_AT_ONCE);
    for await (const host of store.hosts.list({ hostnames: some })) hosts.set(host.hostname, factsOf(host));
  }
  return { issues, hosts };
}

const HOSTS_AT_ONCE = 200;

function factsOf(host: Host): HostFacts {
  const distribution = valueAt(host.plugins, 'os_info.distname');
  return {
    suspended: host.suspended === true,
    distribution: typeof distribution === 'string' ? distribution.toLowerCase() : '',
    version: host.checks?.version,
    results: host.checks?.results ?? {},
  };
}

/** Adds to issues what their checks say of them. */
export function describeOpen(deps: Deps, issues: readonly Issue[], hosts: ReadonlyMap<string, HostFacts>): OpenIssue[] {
  const checks = new Map(deps.checks.map((check) => [check.name, check]));
  return issues.map((issue) => {
    const check = checks.get(issue.name);
    const host = hosts.get(issue.hostname);
    const result = host !== undefined && Object.hasOwn(host.results, issue.name) ? host.results[issue.name] : undefined;
    const remediation = check === undefined ? undefined : remediationFor(check, host?.distribution ?? '');
    return {
      ...issue,
      title: check?.title ?? issue.name,
      severity: check?.severity ?? 'medium',
      due_at: deps.calendar.add(issue.opened_at, deps.calendar.ofPeriod(check?.gracePeriod ?? 0)),
      suspended: host?.suspended ?? false,
      ...(result === undefined ? {} : { answer: result.answer, evidence: result.evidence }),
      ...(result?.reason === undefined ? {} : { reason: result.reason }),
      ...(remediation === undefined ? {} : { remediation }),
    };
  });
}
