import type { Judge, Judgement } from '../../core/check.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Host } from '../../core/host.ts';
import { consequencesOf, judgedDocument } from '../../core/judged.ts';
import type { Store } from '../../store/port.ts';

/**
 * What the checks say of a host as it is about to be stored. Checks that fail to run must not lose a report:
 * it is stored as "never judged", and the next audit run evaluates it.
 */
export function judgeReport(
  { judge, log }: { judge: Judge; log: Log },
  host: Omit<Host, 'identity' | 'settled'>,
  at: Date,
): Judgement {
  try {
    return judge.judge(judgedDocument(host), host.checks, at);
  } catch (error) {
    log.event('submit.judge-failed', { host: host.hostname, reason: messageOf(error) });
    return { version: 'never', evaluated_at: at, results: host.checks?.results ?? {} };
  }
}

/**
 * Carries a stored judgement over to the issues. The report is on disk by now: what fails here is logged, not told to the host,
 * and the next audit run does it again (`settled` is still false).
 */
export async function carryOver(
  { store, log }: { store: Pick<Store, 'issues' | 'hosts'>; log: Log },
  hostname: string,
  { checks, previous }: { checks: Judgement; previous: Judgement | undefined },
): Promise<void> {
  const { failing, passing } = consequencesOf(checks, previous);
  try {
    const { opened, closed } = await store.issues.reconcile(hostname, failing, passing, checks.evaluated_at);
    for (const issue of opened) log.event('issue.opened', { host: hostname, issue });
    for (const issue of closed) log.event('issue.closed', { host: hostname, issue });
    await store.hosts.settle(hostname, checks.evaluated_at);
  } catch (error) {
    log.event('request.failed', { host: hostname, reason: `issues not settled: ${messageOf(error)}` });
  }
}
