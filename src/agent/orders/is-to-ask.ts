import { hours } from '../../core/duration.ts';
import type { Speaker } from '../exchange.ts';
import type { Places } from '../places.ts';
import type { Submitted } from '../submit.ts';
import type { ExchangedOrders } from './exchange-orders.ts';
import { readKnown } from './known.ts';
import { readTold } from './told.ts';

/** How long a host that hears nothing of orders in answer to its reports goes without asking. */
const LONGEST_UNASKED = hours(1);

export const NO_ORDERS: ExchangedOrders = { asked: false, came: 0, told: 0, problem: undefined };

/** Whether this run asks for orders, given what became of its reports: where these were answered without a hint, that was the question. */
export function isToAsk({ memory, clock }: Pick<Speaker, 'memory' | 'clock'>, submitted: Submitted): boolean {
  if (submitted.orders) return true;
  // A lost host's reports are refused; what it is to do it may fetch.
  if (submitted.problem !== undefined) return submitted.problem.code === 'lost';
  const { asked_at, orders_problem } = memory.state;
  if (orders_problem !== null) return true;
  const age = asked_at === null ? Number.POSITIVE_INFINITY : clock.now().getTime() - Date.parse(asked_at);
  if (age < 0 || age > LONGEST_UNASKED) return true;
  return submitted.stored.length + submitted.gone.length + submitted.bad.length === 0;
}

/**
 * Whether the server may lack something of what became of orders. Costs a look at two small files.
 * @param epoch of the server's store, where it was told just now
 */
export async function mayHaveResults(
  places: Pick<Places, 'results' | 'inbox'>,
  epoch: string | null = null,
): Promise<boolean> {
  const { version } = await readKnown(places).catch(() => ({ version: 0 }));
  const told = await readTold(places);
  return version !== (told.version ?? 0) || (version > 0 && epoch !== null && told.epoch !== epoch);
}
