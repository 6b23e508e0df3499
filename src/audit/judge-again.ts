import type { Host } from '../core/host.ts';
import { judgedDocument } from '../core/judged.ts';
import type { HostFilter } from '../store/port.ts';
import type { AuditDeps } from './audit-deps.ts';
import { carryOver } from './carry-over.ts';
import type { Changes } from './changes.ts';
import { eachOf } from './each-of.ts';

/** Hosts between two sentences of progress. */
const STEP = 200;

/**
 * Evaluates the stored hosts of whom the present checks have not spoken, and those whose answer changes by time alone.
 * Then carries over what a crash left half done.
 * @returns how many hosts were evaluated
 */
export async function judgeAgain(
  { store, judge, signal }: AuditDeps,
  at: Date,
  changes: Changes,
  progress: (text: string) => void,
): Promise<number> {
  let judged = 0;
  const again = async (host: Host) => {
    // A host that has enrolled and not reported yet: there is nothing to judge.
    if (host.submitted_at === undefined) return;
    const checks = judge.judge(judgedDocument(host), host.checks, at);
    const { hostname, submitted_at } = host;
    // A report that comes in between was judged as it came.
    if (!(await store.hosts.saveJudgement(hostname, submitted_at, checks))) return;
    await carryOver(store, { hostname, submitted_at, checks }, host.checks, at, changes);
    judged += 1;
    if (judged % STEP === 0) progress(`evaluated ${judged} hosts`);
  };
  const due: HostFilter[] = [{ judged_otherwise: judge.version }, { deadline_by: at }];
  for (const filter of due) await eachOf(store.hosts.list(filter), again, { signal });
  const settle = (host: Host) => carryOver(store, host, undefined, at, changes);
  await eachOf(store.hosts.list({ unsettled: true }), settle, { signal });
  return judged;
}
