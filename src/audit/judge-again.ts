import type { Judgement } from '../core/check.ts';
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
  const keep = async (host: Pick<Host, 'hostname' | 'submitted_at'> & { checks: Judgement }, previous?: Judgement) => {
    // A report that comes in between was judged as it came.
    if (!(await store.hosts.saveJudgement(host.hostname, host.submitted_at, host.checks))) return;
    await carryOver(store, host, previous, at, changes);
    judged += 1;
    if (judged % STEP === 0) progress(`evaluated ${judged} hosts`);
  };
  // Nothing of what the host reported is held while its judgement is on its way.
  const again = (host: Host): Promise<void> => {
    const { hostname, submitted_at, checks: previous } = host;
    // A host that has enrolled and not reported yet: there is nothing to judge.
    if (submitted_at === undefined) return Promise.resolve();
    return keep({ hostname, submitted_at, checks: judge.judge(judgedDocument(host), previous, at) }, previous);
  };
  const due: HostFilter[] = [{ judged_otherwise: judge.version }, { deadline_by: at }];
  for (const filter of due) await eachOf(store.hosts.list(filter), again, { signal });
  const settle = ({ hostname, submitted_at, checks }: Host) => {
    const unsettled = { hostname, ...(submitted_at && { submitted_at }), ...(checks && { checks }) };
    return carryOver(store, unsettled, undefined, at, changes);
  };
  await eachOf(store.hosts.list({ unsettled: true }), settle, { signal });
  return judged;
}
