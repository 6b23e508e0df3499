import type { HeldIssue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { hostsNamed } from './hosts-named.ts';

/**
 * Issues that an operator closed stay closed until newer data show them. A changed report opens them again as it comes; that a host
 * checked in and confirmed what it had reported is noticed here.
 */
export async function releaseHeld({ store, signal }: AuditDeps, at: Date, changes: Changes): Promise<void> {
  const held = await store.issues.listHeld();
  if (held.length === 0) return;
  const names = [...new Set(held.map(({ name }) => name))];
  const hosts = await hostsNamed(store, new Set(held.map(({ hostname }) => hostname)), names);
  const over: HeldIssue[] = [];
  for (const issue of held) {
    signal.throwIfAborted();
    const { hostname, name, closed_at } = issue;
    const host = hosts.get(hostname);
    if (host === undefined) over.push(issue);
    if (host?.submitted_at === undefined || host.submitted_at <= closed_at) continue;
    over.push(issue);
    // Opened first: where we stop in between, the next run does it again.
    const fails = Object.hasOwn(host.results, name) && host.results[name]?.fails === true;
    if (fails && (await store.issues.open(hostname, name, at, host.submitted_at)))
      changes.note(hostname, { opened: [name] });
  }
  await store.issues.release(over);
}
