import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { raise } from './raise.ts';

const NAME = 'not-reporting';

/**
 * Raises `not-reporting` for each host from which nothing came for one business day, or since it was let in. Looks at silent hosts only.
 * Where an operator closed it, silence is nothing new: another one opens only when the host has reported, and fallen silent again.
 */
export async function findSilent(deps: AuditDeps, at: Date, changes: Changes): Promise<void> {
  const silent = new Map<string, Date>();
  const since = deps.calendar.subtract(at, deps.calendar.day);
  for await (const { hostname, submitted_at, approved_at } of deps.store.hosts.facts({ silent_since: since })) {
    const last = submitted_at ?? approved_at;
    if (last !== undefined && last < since) silent.set(hostname, last);
  }
  deps.signal.throwIfAborted();
  await raise(deps, NAME, silent, at, changes);
}
