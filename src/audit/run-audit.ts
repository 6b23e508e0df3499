import type { AuditReport } from '../core/audit.ts';
import type { AuditDeps } from './audit-deps.ts';
import { noteChanges } from './changes.ts';
import { describeProblem } from './check-problem.ts';
import { closeOrphans } from './close-orphans.ts';
import { findExpiring } from './find-expiring.ts';
import { findSilent } from './find-silent.ts';
import { judgeAgain } from './judge-again.ts';
import { describeOpen, readOpen } from './list-open.ts';

/**
 * One audit run: opens and closes issues, and says what is open. Hosts were judged as their reports came, so that it
 * costs what changed by itself (checks, deadlines, silence) and what is open. Two runs at once do no harm.
 */
export async function runAudit(deps: AuditDeps): Promise<AuditReport> {
  const at = deps.clock.now();
  const changes = noteChanges();
  const judged = await judgeAgain(deps, at, changes);
  await findSilent(deps, at, changes);
  const unread = await findExpiring(deps, at, changes);
  const { issues, hosts } = await readOpen(deps);
  const left = await closeOrphans(deps, issues, hosts, at, changes);
  return {
    at,
    judged,
    opened: changes.opened,
    closed: changes.closed,
    issues: describeOpen(deps, left, hosts),
    problems: [...deps.problems.map(describeProblem), ...unread],
  };
}
