import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { raise } from './raise.ts';

const NAME = 'not-reporting';

/**
 * Raises `not-reporting` for each host from which nothing came for one business day, or since it was let in.
 * Looks at silent hosts only.
 */
export async function findSilent(deps: AuditDeps, at: Date, changes: Changes): Promise<void> {
  const silent = new Set<string>();
  const since = deps.calendar.subtract(at, deps.calendar.day);
  for await (const { hostname, submitted_at, identity } of deps.store.hosts.list({ silent_since: since })) {
    const last = submitted_at ?? identity?.approved_at;
    if (last !== undefined && last < since) silent.add(hostname);
  }
  deps.signal.throwIfAborted();
  await raise(deps, NAME, silent, at, changes);
}
