import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Captured, OrderReport } from '../../core/order.ts';
import { LARGEST_OUTPUT, LONGEST_REASON, LONGEST_STEP, MOST_STEPS } from '../../wire/v2/order-messages.ts';
import type { Accepted, Results } from './accepted.ts';
import { captured } from './capture.ts';
import { forgetStaged } from './change-site.ts';
import { type Ended, type Ran, writeOrderState } from './order-state.ts';

/**
 * Tells how an order ended: receipt, result, and then that this was told. Where we are ended in between it is told once more, which changes nothing: the server keeps the first.
 * What a successful order needed goes; that of a failed one stays to be looked at, until the order is forgotten.
 */
export async function tellOutcome({ manifest, folder }: Accepted, state: Ended, results: Results): Promise<void> {
  const { outcome } = state;
  const { id: order, kind, by, why } = manifest;
  await results.receipt({ order, kind, by, why, event: outcome.state, detail: detailOf(state) });
  await results.report(order, reportOf(state));
  // From here on the applier may remove the folder at any time.
  await writeOrderState(folder, { phase: 'settled' }).catch((error: unknown) => {
    if (existsSync(folder)) throw error;
  });
  forgetStaged(folder);
  if (outcome.state !== 'done') return;
  for (const name of ['commands', 'files']) rmSync(join(folder, name), { recursive: true, force: true });
}

function reportOf({ outcome, steps, ran }: Ended): Omit<OrderReport, 'order' | 'number' | 'at'> {
  const reason = outcome.reason?.slice(0, LONGEST_REASON);
  const told = [...steps, ...(ran.length > 1 ? ran.map(sentenceOn) : [])].map((line) => line.slice(0, LONGEST_STEP));
  return {
    state: outcome.state,
    ...(reason === undefined ? {} : { reason }),
    ...resultOf(ran),
    ...(told.length === 0 ? {} : { steps: fitting(told) }),
  };
}

/** Of one command as it is; of several, under a heading each. */
function resultOf(ran: readonly Ran[]): Partial<OrderReport> {
  const [first] = ran;
  if (first === undefined) return {};
  const { exit_status, signal } = first;
  if (ran.length === 1) {
    return {
      ...(exit_status === undefined ? {} : { exit_status }),
      ...(signal === undefined ? {} : { signal }),
      duration_ms: first.duration_ms,
      stdout: first.stdout,
      stderr: first.stderr,
    };
  }
  return {
    duration_ms: ran.reduce((sum, one) => sum + one.duration_ms, 0),
    stdout: joined(ran, 'stdout'),
    stderr: joined(ran, 'stderr'),
  };
}

function joined(ran: readonly Ran[], output: 'stdout' | 'stderr'): Captured {
  const wrote = ran.filter((one) => one[output].bytes > 0);
  const text = wrote.map((one) => `==> ${one.path} <==\n${one[output].text ?? one[output].base64}\n`).join('');
  const bytes = Buffer.from(text);
  const kept = captured(bytes.subarray(0, LARGEST_OUTPUT), bytes.length);
  return { ...kept, truncated: kept.truncated || wrote.some((one) => one[output].truncated) };
}

function sentenceOn({ path, reason, duration_ms }: Ran): string {
  return `${path}: ${reason ?? 'done'}, after ${(duration_ms / 1000).toFixed(1)} s`;
}

function fitting(lines: readonly string[]): string[] {
  if (lines.length <= MOST_STEPS) return [...lines];
  const kept = lines.slice(0, MOST_STEPS - 1);
  return [...kept, `and ${lines.length - kept.length} more`];
}

function detailOf({ outcome, steps, ran }: Ended): string {
  const said = outcome.reason ?? [...steps, ...ran.map(sentenceOn)].join('; ');
  return said.replace(/\s+/g, ' ').trim().slice(0, LONGEST_STEP);
}
