import type { OpenIssue } from '../core/audit.ts';
import type { HostFacts } from '../core/host.ts';
import type { Issue } from '../core/issue.ts';
import { isMailAddress } from '../core/mail-address.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Check } from './check-file.ts';
import { hostsNamed } from './hosts-named.ts';
import { remediationFor } from './remediation-for.ts';

type Deps = Pick<AuditDeps, 'store' | 'checks' | 'calendar'>;

/** All open issues, and what is known of the hosts that have one: the cost is what is open, not the fleet. */
export async function readOpen({
  store,
}: Pick<Deps, 'store'>): Promise<{ issues: Issue[]; hosts: Map<string, HostFacts> }> {
  const issues: Issue[] = [];
  for await (const issue of store.issues.listOpen()) issues.push(issue);
  const names = [...new Set(issues.map(({ name }) => name))];
  return { issues, hosts: await hostsNamed(store, new Set(issues.map(({ hostname }) => hostname)), names) };
}

/** Adds to issues what their checks say of them, and whom to tell. */
export async function describeOpen(
  deps: Deps,
  issues: readonly Issue[],
  hosts: ReadonlyMap<string, HostFacts>,
): Promise<OpenIssue[]> {
  const addresses = await mailAddresses(deps);
  const checks = new Map(deps.checks.map((check) => [check.name, check]));
  const endOfGrace = graceEnds(deps);
  return issues.map((issue) => {
    const check = checks.get(issue.name);
    const host = hosts.get(issue.hostname);
    const result = host !== undefined && Object.hasOwn(host.results, issue.name) ? host.results[issue.name] : undefined;
    const remediation =
      check === undefined ? undefined : remediationFor(check, (host?.distribution ?? '').toLowerCase());
    const user_email = addresses.get(issue.hostname);
    const { hostname, name, opened_at } = issue;
    // Tens of thousands may be open, and V8 takes up to 4 KB for an object that others are spread into.
    const described: OpenIssue = Object.assign(
      {
        hostname,
        name,
        opened_at,
        title: check?.title ?? name,
        severity: check?.severity ?? 'medium',
        due_at: endOfGrace(issue, check),
        suspended: host?.suspended ?? false,
      },
      issue,
    );
    if (host?.submitted_at !== undefined) described.submitted_at = host.submitted_at;
    if (user_email !== undefined) described.user_email = user_email;
    if (result !== undefined) described.answer = result.answer;
    if (result?.evidence !== undefined) described.evidence = result.evidence;
    if (result?.reason !== undefined) described.reason = result.reason;
    if (remediation !== undefined) described.remediation = remediation;
    return described;
  });
}

/** Those of an original database may be anything. */
async function mailAddresses({ store }: Pick<Deps, 'store'>): Promise<Map<string, string>> {
  const set = await store.parameters.list({ parameters: ['user_email'] });
  return new Map(
    set.flatMap(({ hostname, value: [address = ''] }): [string, string][] =>
      isMailAddress(address) ? [[hostname, address]] : [],
    ),
  );
}

/** Many issues open at the same moment: the calendar is asked once for all of them. */
function graceEnds({ calendar }: Pick<Deps, 'calendar'>): (issue: Issue, check: Check | undefined) => Date {
  const known = new Map<string, Date>();
  return ({ opened_at }, check) => {
    const grace = check?.gracePeriod ?? 0;
    if (grace === 0) return opened_at;
    const key = `${opened_at.getTime()} ${grace}`;
    const end = known.get(key) ?? calendar.add(opened_at, calendar.ofPeriod(grace));
    known.set(key, end);
    return end;
  };
}
