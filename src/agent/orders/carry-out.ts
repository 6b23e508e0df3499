import type { Clock } from '../../core/world.ts';
import type { AgentContext } from '../context.ts';
import type { Places } from '../places.ts';
import type { Accepted, Results } from './accepted.ts';

export interface Acting {
  places: Places;
  results: Results;
  clock: Clock;
  uid: number;
  home: string;
  program: AgentContext['program'];
  signal: AbortSignal;
}

/**
 * Acts on an order, or starts what does. Called for each accepted order at each `apply` until its report is settled, so that what was cut off
 * is finished: it may be called again at any step.
 */
export async function carryOut({ manifest }: Accepted, { results }: Acting): Promise<void> {
  const { id: order, kind, by, why } = manifest;
  const reason = `this version of penguindome-agent cannot act on an order of the kind ${kind}`;
  await results.receipt({ order, kind, by, why, event: 'failed', detail: reason });
  await results.report(order, { state: 'failed', reason });
}
