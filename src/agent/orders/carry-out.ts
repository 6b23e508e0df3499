import type { Clock } from '../../core/world.ts';
import type { Manifest } from '../../wire/v2/order.ts';
import type { AgentContext } from '../context.ts';
import type { Places } from '../places.ts';
import type { Results } from './results.ts';

/** An order that is verified, due, and that this host has not settled. */
export interface Accepted {
  manifest: Manifest;
  /** orders/ID: order.json and files/SHA256, both checked; what else lies there is the acting part's own */
  folder: string;
}

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
  await results.record({ order, kind, by, why, event: 'failed', detail: reason }, { state: 'failed', reason });
}
