import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { isSettled, type OrderTarget, UNSETTLED } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { didIt, lapsed, type Outcome, showOutcome, showReport } from './show-outcome.ts';
import { allOrderedJson } from './tell-ordered.ts';
import type { Ordered } from './v1/order-both.ts';
import { readOutcomes } from './v1/outcomes.ts';

const PAUSE = seconds(1);

/**
 * Shows what becomes of it on each host as it comes, until every host has settled it, it has expired, or the patience ends.
 * With --json: all of it at the end. @throws OperatorError where a host did not do it, so that the exit status tells
 */
export async function waitForOrder(context: AdminContext, ordered: Ordered, patience: Milliseconds): Promise<void> {
  const { output, clock, signal } = context;
  const shown = new Map<string, string>();
  const ends = ordered.order?.expires_at.getTime() ?? Number.POSITIVE_INFINITY;
  const until = Math.min(ends, clock.now().getTime() + patience);
  const known = new Map<string, OrderTarget>();
  for (;;) {
    const targets = await readTargets(context, ordered, known);
    for (const target of targets) if (!output.wantsJson) showChange(context, target, shown);
    if (!output.wantsJson) forgetOutputs(known);
    const waiting = targets.filter(({ state }) => !isSettled(state));
    if (waiting.length === 0 || clock.now().getTime() >= until) {
      if (output.wantsJson) output.json({ ...allOrderedJson(ordered), results: targets });
      return judge(ordered, targets);
    }
    await sleep(PAUSE, undefined, { signal }).catch((cause: unknown) => {
      throw new OperatorError(
        `${waiting.length} of ${targets.length} hosts have not done it yet; it goes on: penguindome orders show ${idsOf(ordered)}`,
        {
          cause,
        },
      );
    });
  }
}

export function idsOf({ order, patch }: Ordered): string {
  return [order, patch].flatMap((one) => (one === undefined ? [] : [one.id])).join(', ');
}

/**
 * @param known what was read before, by host: what a settled host wrote, which may be much, is read once
 */
async function readTargets(
  context: AdminContext,
  { order, patch }: Ordered,
  known: Map<string, OrderTarget>,
): Promise<Outcome[]> {
  const store = await context.store();
  const targets: Outcome[] = [];
  if (order !== undefined) {
    await refresh(store, order.id, known);
    const now = context.clock.now();
    targets.push(...[...known.values()].map((target) => lapsed(target, order, now)));
  }
  const now = patch && (await store.patches.find(patch.id));
  if (now !== undefined) targets.push(...(await readOutcomes(store, now)));
  return targets;
}

async function refresh({ orders }: Store, order: string, known: Map<string, OrderTarget>): Promise<void> {
  const first = known.size === 0;
  const open = new Set<string>();
  for await (const target of orders.targets(first ? { order } : { order, states: UNSETTLED })) {
    known.set(target.host_id, target);
    open.add(target.host_id);
  }
  if (first) return;
  for (const { host_id, state } of [...known.values()]) {
    if (isSettled(state) || open.has(host_id)) continue;
    for await (const target of orders.targets({ order, host_id })) known.set(host_id, target);
  }
}

/** They have been shown. */
function forgetOutputs(known: Map<string, OrderTarget>): void {
  for (const [host_id, target] of known) {
    if (target.report === undefined || !isSettled(target.state)) continue;
    const { stdout: _, stderr: __, ...report } = target.report;
    known.set(host_id, { ...target, report });
  }
}

function showChange({ output }: AdminContext, target: Outcome, shown: Map<string, string>): void {
  const outcome = showOutcome(target);
  if (shown.get(target.hostname) === outcome) return;
  shown.set(target.hostname, outcome);
  if (target.state === 'queued') return;
  output.line(`${target.hostname}: ${outcome}`);
  if (isSettled(target.state)) for (const line of showReport(target)) output.line(`  ${line}`);
}

function judge(ordered: Ordered, targets: readonly Outcome[]): void {
  const undone = targets.filter((target) => !didIt(target));
  const failed = undone.filter(({ state }) => isSettled(state));
  const [first, ...others] = failed.length > 0 ? failed : undone;
  if (first === undefined) return;
  const what = failed.length > 0 ? 'did not do it' : 'have not done it yet';
  const also = others.length > 0 ? ` and ${others.length} more` : '';
  throw new OperatorError(
    `${others.length + 1} of ${targets.length} hosts ${what}: ${first.hostname} (${showOutcome(first)})${also}; penguindome orders show ${idsOf(ordered)}`,
  );
}
