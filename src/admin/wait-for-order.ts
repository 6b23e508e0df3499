import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { isSettled } from '../core/order.ts';
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
  for (;;) {
    const targets = await readTargets(context, ordered);
    for (const target of targets) if (!output.wantsJson) showChange(context, target, shown);
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

async function readTargets(context: AdminContext, { order, patch }: Ordered): Promise<Outcome[]> {
  const store = await context.store();
  const targets: Outcome[] = [];
  if (order !== undefined) {
    for await (const target of store.orders.targets({ order: order.id }))
      targets.push(lapsed(target, order, context.clock.now()));
  }
  const now = patch && (await store.patches.find(patch.id));
  if (now !== undefined) targets.push(...(await readOutcomes(store, now)));
  return targets;
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
