import type { OpenIssue } from '../core/audit.ts';
import { days } from '../core/duration.ts';
import type { AuditDeps } from './audit-deps.ts';
import { hostsNamed } from './hosts-named.ts';

/** A machine that is silent for longer is told of even if its user has another one. */
const DISPENSATION = days(31);

/**
 * Whose user has several machines (`user_clients`) uses one of them at a time: that another one does not report is no news as long as
 * one of them reported within the business day. Adds `linked_to` to such issues.
 */
export async function findLinked(
  { store, calendar }: Pick<AuditDeps, 'store' | 'calendar'>,
  issues: readonly OpenIssue[],
  at: Date,
): Promise<OpenIssue[]> {
  const silent = issues.filter(({ name }) => name === 'not-reporting').map(({ hostname }) => hostname);
  if (silent.length === 0) return [...issues];
  const linked = await store.parameters.list({ hostnames: silent, parameters: ['user_clients'] });
  const others = new Map(linked.map(({ hostname, value }) => [hostname, value]));
  const known = await hostsNamed(store, new Set([...others.values()].flat()), []);
  const since = calendar.subtract(at, calendar.day);
  const reports = (hostname: string) => (known.get(hostname)?.submitted_at ?? new Date(0)) >= since;
  return issues.map((issue) => {
    const { name, hostname, submitted_at } = issue;
    if (name !== 'not-reporting' || submitted_at === undefined) return issue;
    if (at.getTime() - submitted_at.getTime() > DISPENSATION) return issue;
    const linked_to = others.get(hostname)?.find(reports);
    return linked_to === undefined ? issue : { ...issue, linked_to };
  });
}
