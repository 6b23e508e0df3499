import type { AuditOptions, AuditReport } from '../core/audit.ts';
import { foldName } from '../core/host.ts';
import type { Issue } from '../core/issue.ts';
import type { AuditDeps } from './audit-deps.ts';
import { noteChanges } from './changes.ts';
import { describeProblem } from './check-problem.ts';
import { closeOrphans } from './close-orphans.ts';
import { findExpiring } from './find-expiring.ts';
import { findLinked } from './find-linked.ts';
import { findPending } from './find-pending.ts';
import { findSilent } from './find-silent.ts';
import { hide } from './hide.ts';
import { judgeAgain } from './judge-again.ts';
import { describeOpen, readOpen } from './list-open.ts';
import { releaseHeld } from './release-held.ts';

/**
 * One audit run: opens and closes issues, says what is open, and what of it is to be told now. Hosts were judged as their reports came,
 * so that it costs what changed by itself (checks, deadlines, silence) and what is open. Two runs at once do no harm.
 */
export async function runAudit(deps: AuditDeps, options: AuditOptions): Promise<AuditReport> {
  const { progress = () => {} } = options;
  const at = deps.clock.now();
  const changes = noteChanges();
  const judged = await judgeAgain(deps, at, changes, progress);
  await findSilent(deps, at, changes);
  await findPending(deps, at, changes);
  const unread = await findExpiring(deps, at, changes);
  await releaseHeld(deps, at, changes);
  progress('reading what is open');
  const { issues, hosts } = await readOpen(deps);
  const left = await closeOrphans(deps, issues, hosts, at, changes);
  const described = await describeOpen(deps, left.filter(askedFor(options)), hosts);
  const told = hide(await findLinked(deps, described, at), deps.checks, { at, ignore: options.ignore });
  return {
    at,
    judged,
    opened: changes.opened,
    closed: changes.closed,
    ...told,
    problems: [...deps.problems.map(describeProblem), ...deps.remarks, ...unread],
  };
}

function askedFor({ hosts, names }: AuditOptions): (issue: Issue) => boolean {
  const folded = hosts === undefined ? undefined : new Set(hosts.map(foldName));
  return ({ hostname, name }) => folded?.has(foldName(hostname)) !== false && names?.includes(name) !== false;
}
