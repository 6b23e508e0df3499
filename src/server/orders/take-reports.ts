import type { Log } from '../../core/events.ts';
import type { Host, Identity } from '../../core/host.ts';
import type { OrderReport } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import type { Store } from '../../store/port.ts';
import type { ReportMessage, ResultsAnswer } from '../../wire/v2/order-messages.ts';

export const REFUSED_ISSUE = 'order-refused';
const LONG_AGO = new Date(0);

/** Keeps what a host says became of its orders. @returns what it need not send again: what is kept, and what is about no order of its own */
export async function takeReports(
  { store, clock, log }: { store: Pick<Store, 'orders' | 'issues'>; clock: Clock; log: Log },
  { hostname, identity: { host_id } }: Host & { identity: Identity },
  messages: readonly ReportMessage[],
): Promise<ResultsAnswer['taken']> {
  const now = clock.now();
  for (const { message, report } of messages.map((each) => ({ message: each, report: reportOf(each) }))) {
    const { order, state } = message;
    const kept = await store.orders.report(host_id, report);
    if (kept === 'unknown') {
      log.event('order.unknown', { host: hostname, order });
      continue;
    }
    if (kept === 'kept') log.event('order.reported', { host: hostname, order, state });
    if (state !== 'refused') continue;
    // What came before, and was acknowledged in vain, must not open what an operator has closed since, whatever the host's clock says.
    const shown_at = kept === 'kept' ? now : report.at > now ? LONG_AGO : report.at;
    if (await store.issues.open(hostname, REFUSED_ISSUE, now, shown_at)) {
      log.event('issue.opened', { host: hostname, issue: REFUSED_ISSUE });
    }
  }
  return messages.map(({ order, number }) => ({ order, number }));
}

function reportOf({
  at,
  reason,
  exit_status,
  signal,
  duration_ms,
  stdout,
  stderr,
  steps,
  ...rest
}: ReportMessage): OrderReport {
  return {
    ...rest,
    at: new Date(at),
    ...(reason !== undefined && { reason }),
    ...(exit_status !== undefined && { exit_status }),
    ...(signal !== undefined && { signal }),
    ...(duration_ms !== undefined && { duration_ms }),
    ...(stdout !== undefined && { stdout: capturedOf(stdout) }),
    ...(stderr !== undefined && { stderr: capturedOf(stderr) }),
    ...(steps !== undefined && { steps }),
  };
}

function capturedOf({ text, base64, bytes, truncated }: NonNullable<ReportMessage['stdout']>) {
  return { ...(text !== undefined && { text }), ...(base64 !== undefined && { base64 }), bytes, truncated };
}
