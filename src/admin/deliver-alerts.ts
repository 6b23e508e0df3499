import type { OpenIssue } from '../core/audit.ts';
import { messageOf } from '../core/errors.ts';
import type { AdminContext } from './context.ts';

/** What became of a run's alerts, for --json. */
export interface AlertsDelivered {
  queued: number;
  delivered: number;
  failed: number;
  given_up: number;
  problems: string[];
}

/**
 * Hands the alerts of an audit run to their receivers: into the outbox, then `mark`, then out of it. Where the program is killed in
 * between, the next run finds them not marked, or in the outbox. What fails is said, kept and tried again; the audit has done its work all the same.
 * @param how.mark marks the alerts as alerted; not called where they could not be kept
 * @returns undefined where nothing is to be delivered
 */
export async function deliverAlerts(
  context: Pick<AdminContext, 'delivery' | 'output'>,
  alerts: readonly OpenIssue[],
  how: { at: Date; email: boolean; mark: () => Promise<void> },
): Promise<AlertsDelivered | undefined> {
  const done = { queued: 0, delivered: 0, failed: 0, given_up: 0, problems: [] as string[] };
  try {
    const delivery = await context.delivery();
    if (!delivery.on && !how.email) {
      await how.mark();
      return undefined;
    }
    const { queued, problems } = await delivery.queue(alerts, how);
    done.queued = queued;
    done.problems.push(...problems);
    await how.mark();
    const { problems: failures, ...counts } = await delivery.send();
    Object.assign(done, counts);
    done.problems.push(...failures);
  } catch (error) {
    done.problems.push(messageOf(error));
  }
  tell(context, done);
  return done;
}

function tell(
  { output }: Pick<AdminContext, 'output'>,
  { delivered, failed, given_up, problems }: AlertsDelivered,
): void {
  for (const problem of problems) output.note(`delivery: ${problem}`);
  const waits = failed > 0 ? `, ${failed} failed and tried again later` : '';
  const given = given_up > 0 ? `, ${given_up} given up` : '';
  if (delivered + failed + given_up > 0) output.note(`delivery: ${delivered} delivered${waits}${given}`);
  if (failed + given_up > 0) output.note('delivery: penguindome delivery list shows what waits and why');
}
