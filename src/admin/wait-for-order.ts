import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { isSettled, type Order, type OrderTarget } from '../core/order.ts';
import type { AdminContext } from './context.ts';
import { didIt, showOutcome, showReport } from './show-outcome.ts';

const PAUSE = seconds(1);

/**
 * Shows what becomes of an order on each host as it comes, until every host has settled it, it has expired, or the patience ends.
 * With --json: all of it at the end. @throws OperatorError where a host did not do it, so that the exit status tells
 */
export async function waitForOrder(
  context: AdminContext,
  order: Order,
  { patience, ordered }: { patience: Milliseconds; ordered: object },
): Promise<void> {
  const { output, clock, signal } = context;
  const shown = new Map<string, string>();
  const until = Math.min(order.expires_at.getTime(), clock.now().getTime() + patience);
  for (;;) {
    const targets = await readTargets(context, order.id);
    for (const target of targets) if (!output.wantsJson) showChange(context, target, shown);
    const waiting = targets.filter(({ state }) => !isSettled(state));
    if (waiting.length === 0 || clock.now().getTime() >= until) {
      if (output.wantsJson) output.json({ ...ordered, results: targets });
      return judge(order, targets);
    }
    await sleep(PAUSE, undefined, { signal }).catch((cause: unknown) => {
      throw new OperatorError(
        `${waiting.length} of ${targets.length} hosts have not done it yet; it goes on: penguindome orders show ${order.id}`,
        {
          cause,
        },
      );
    });
  }
}

async function readTargets(context: AdminContext, order: string): Promise<OrderTarget[]> {
  const targets: OrderTarget[] = [];
  for await (const target of (await context.store()).orders.targets({ order })) targets.push(target);
  return targets;
}

function showChange({ output }: AdminContext, target: OrderTarget, shown: Map<string, string>): void {
  const outcome = showOutcome(target);
  if (shown.get(target.host_id) === outcome) return;
  shown.set(target.host_id, outcome);
  if (target.state === 'queued') return;
  output.line(`${target.hostname}: ${outcome}`);
  if (isSettled(target.state)) for (const line of showReport(target)) output.line(`  ${line}`);
}

function judge({ id }: Order, targets: readonly OrderTarget[]): void {
  const [first, ...others] = targets.filter((target) => !didIt(target));
  if (first === undefined) return;
  const count = others.length + 1;
  const also = others.length > 0 ? ` and ${others.length} more` : '';
  throw new OperatorError(
    `${count} of ${targets.length} hosts did not do it: ${first.hostname} (${showOutcome(first)})${also}; penguindome orders show ${id}`,
  );
}
