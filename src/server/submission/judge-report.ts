import type { Judge, Judgement } from '../../core/check.ts';
import { messageOf } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Host } from '../../core/host.ts';
import { consequencesOf, judgedDocument, sameConsequences } from '../../core/judged.ts';
import type { Store } from '../../store/port.ts';

/**
 * What the checks say of a host as it is about to be stored. Checks that fail to run must not lose a report:
 * it is stored as "never judged", and the next audit run evaluates it.
 * @param before the host as it was stored with `host.checks`
 */
export function judgeReport(
  { judge, log }: { judge: Judge; log: Log },
  host: Omit<Host, 'identity' | 'settled'>,
  at: Date,
  before?: Host,
): Judgement {
  try {
    const seen = before === undefined ? undefined : judgedDocument(before);
    return judge.judge(judgedDocument(host), host.checks, at, seen);
  } catch (error) {
    log.event('submit.judge-failed', { host: host.hostname, reason: messageOf(error) });
    return { version: 'never', evaluated_at: at, results: host.checks?.results ?? {} };
  }
}

/** Whether the judgement calls for nothing that the previous one did not, and that one was carried over: then nothing is left to settle. */
export function isSettled(checks: Judgement, before: Pick<Host, 'checks' | 'settled'> | undefined): boolean {
  return before?.checks !== undefined && before.settled === true && sameConsequences(checks, before.checks);
}

/** Others may write the same host meanwhile, but not for ever. */
const ATTEMPTS = 5;

/**
 * Carries a stored judgement over to the issues. The report is on disk by now: what fails here is logged, not told to the host,
 * and the next audit run does it again (`settled` is still false). What was opened or closed otherwise is mended, too.
 * Where somebody else's judgement took the place of this one, it may have been carried over before it: then it is, again.
 * @param settled the report was stored so: nothing is to be marked
 */
export async function carryOver(
  { store, log }: { store: Pick<Store, 'issues' | 'hosts'>; log: Log },
  hostname: string,
  { checks, previous, settled }: { checks: Judgement; previous: Judgement | undefined; settled: boolean },
): Promise<void> {
  try {
    // The report came when it was judged.
    let host: Pick<Host, 'checks' | 'submitted_at'> | undefined = { checks, submitted_at: checks.evaluated_at };
    for (let attempt = 0; host?.checks !== undefined && attempt < ATTEMPTS; attempt++) {
      const { checks: judged, submitted_at } = host;
      const { evaluated_at } = judged;
      const { failing, passing } = consequencesOf(judged, previous);
      const { opened, closed } = await store.issues.reconcile(hostname, failing, passing, evaluated_at, submitted_at);
      for (const issue of opened) log.event('issue.opened', { host: hostname, issue });
      for (const issue of closed) log.event('issue.closed', { host: hostname, issue });
      if (settled || (await store.hosts.settle(hostname, evaluated_at))) return;
      host = await store.hosts.find(hostname);
    }
  } catch (error) {
    log.event('request.failed', { host: hostname, reason: `issues not settled: ${messageOf(error)}` });
  }
}
