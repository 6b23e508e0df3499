import type { Clock } from '../../core/world.ts';
import type { AgentContext } from '../context.ts';
import { forgetDue } from '../leave-due.ts';
import type { Places } from '../places.ts';
import type { Accepted, Results } from './accepted.ts';
import { actOn } from './act-on.ts';
import { bootId } from './boot-id.ts';
import { startOrder, startUnit } from './start-order.ts';

export interface Acting {
  places: Places;
  results: Results;
  clock: Clock;
  uid: number;
  home: string;
  program: AgentContext['program'];
  signal: AbortSignal;
}

const COLLECT = 'penguindome-collect.service';

/**
 * Acts on an order, or starts what does. Called for each accepted order at each `apply` until its report is settled, so that what was cut off is finished: it may be
 * called again at any step. Patches, releases and settings are done when this returns; commands and wipes are started, and tell by themselves what comes of them
 * (run-order.ts), as do patches and releases that bring commands.
 */
export async function carryOut(accepted: Accepted, acting: Acting): Promise<void> {
  const { places, results, clock, uid } = acting;
  await actOn(accepted, {
    places,
    results,
    clock,
    uid,
    boot: await bootId(),
    start: (order, seconds) => startOrder(acting, places, order, seconds),
    // Where no unit collects, the next run finds that what it collects with is newer than what it collected.
    collectSoon: async () => {
      await forgetDue(places);
      await startUnit(acting, COLLECT);
    },
  });
}
