import type { Captured, Order, OrderReport, OrderTarget } from '../core/order.ts';
import type { Output } from './context.ts';
import { harmless } from './harmless.ts';
import { showTime } from './show-time.ts';

/** What is shown of an order on a host; hosts with the original client number no reports. */
export interface Outcome extends Pick<OrderTarget, 'hostname' | 'state' | 'at'> {
  report?: Omit<OrderReport, 'number'>;
}

/** What became of an order on a host, in a few words on one line: a host's words must not look like those of another. */
export function showOutcome({ state, report }: Outcome): string {
  if (report === undefined || state !== report.state) return state;
  const { exit_status, signal, reason = '' } = report;
  const facts = [
    ...(exit_status === undefined ? [] : [`exit status ${exit_status}`]),
    ...(signal === undefined ? [] : [`ended by ${harmless(signal)}`]),
  ];
  // Hosts say as a reason, too, that a command failed by its status.
  const parts = [...facts.filter((fact) => fact !== reason), ...(reason === '' ? [] : [harmless(reason)])];
  return parts.length === 0 ? state : `${state}: ${parts.join(', ')}`;
}

/** What nobody fetched in time has expired, though the store has not been tidied since. */
export function lapsed<T extends Pick<Outcome, 'state'>>(
  target: T,
  { expires_at }: Pick<Order, 'expires_at'>,
  now: Date,
): T {
  return target.state === 'queued' && expires_at <= now ? { ...target, state: 'expired' } : target;
}

/** Whether a host did what it was told. */
export function didIt({ state, report }: Outcome): boolean {
  return state === 'done' && (report?.exit_status ?? 0) === 0 && report?.signal === undefined;
}

/** Everything that a host told of it, as lines. */
export function showReport(target: Outcome): string[] {
  const { report } = target;
  if (report === undefined) return [];
  return [
    ...(report.duration_ms === undefined ? [] : [`took ${(report.duration_ms / 1000).toFixed(1)} s`]),
    ...(report.steps ?? []).map((step) => `- ${harmless(step)}`),
    ...showCaptured('stdout', report.stdout),
    ...showCaptured('stderr', report.stderr),
  ];
}

function showCaptured(name: string, captured: Captured | undefined): string[] {
  if (captured === undefined || captured.bytes === 0) return [];
  const { text, base64 = '', bytes, truncated } = captured;
  const heading = `${name}${truncated ? `, the beginning of ${bytes} bytes` : ''}${text === undefined ? ', as base64' : ''}:`;
  return [
    heading,
    ...(text ?? base64)
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `  ${line}`),
  ];
}

/** A row for each host; where there is one host, all that it told. */
export function printOutcomes(output: Pick<Output, 'line' | 'table'>, targets: readonly Outcome[]): void {
  output.line();
  const [only] = targets;
  if (only === undefined) {
    output.line('no host has fetched it yet');
    return;
  }
  output.table(
    ['HOST', 'STATE', 'SINCE'],
    targets.map((target) => [target.hostname, showOutcome(target), showTime(target.at)]),
  );
  if (targets.length === 1) for (const line of showReport(only)) output.line(line);
}
