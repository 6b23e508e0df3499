import type { AuditDeps } from './audit-deps.ts';
import type { Changes } from './changes.ts';
import { raise } from './raise.ts';

/**
 * Raises `pending-patches` for each host that has not taken a patch yet. The patches are looked at anew at each run, so that one
 * that an operator closed opens again as long as they wait: what helps is `issues snooze`.
 */
export async function findPending(deps: AuditDeps, at: Date, changes: Changes): Promise<void> {
  const waiting = await deps.store.patches.pendingHosts();
  await raise(deps, 'pending-patches', new Map(waiting.map((hostname) => [hostname, at])), at, changes);
}
