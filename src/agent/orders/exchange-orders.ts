import type { Speaking } from '../build-submission.ts';
import type { Speaker } from '../exchange.ts';
import { makeFolder, type Places } from '../places.ts';
import { RequestProblem } from '../problem.ts';
import { recordOf } from '../submit.ts';
import { fetchOrders } from './fetch-orders.ts';
import { NO_ORDERS } from './is-to-ask.ts';
import { sendResults } from './send-results.ts';

export interface ExchangedOrders {
  /** whether the server was asked for orders */
  asked: boolean;
  /** how many came */
  came: number;
  /** reports and receipts that the server has now */
  told: number;
  problem: RequestProblem | undefined;
}

/**
 * Tells what became of orders and fetches new ones. Whatever goes wrong here costs no report, and what has come so far stays. The caller holds
 * the submitter's lock.
 */
export async function exchangeOrders(
  places: Places,
  speaker: Speaker,
  speaking: Speaking,
  asks: boolean,
): Promise<ExchangedOrders> {
  const { memory, clock } = speaker;
  const done: ExchangedOrders = { ...NO_ORDERS, asked: asks };
  const attempt = async (work: () => Promise<void>) =>
    work().catch((error: unknown) => {
      done.problem ??= problemOf(error);
    });
  await attempt(() => makeFolder(places.inbox, 0o700));
  // What the server does not take must not keep it from being asked: that may be a wipe.
  await attempt(async () => {
    done.told = await sendResults(places, speaker, speaking);
  });
  if (asks) {
    await attempt(async () => {
      done.came = await fetchOrders(places, speaker, speaking);
    });
  }
  const problem = done.problem === undefined ? null : recordOf(done.problem, clock.now());
  if (problem !== null || memory.state.orders_problem !== null) memory.note({ orders_problem: problem });
  // On a full disk that is not remembered; the run itself says it.
  await memory.flush().catch(() => undefined);
  return done;
}

/** A full disk, or a folder of somebody else's, is no reason to fail what else there is to do. */
function problemOf(error: unknown): RequestProblem {
  if (error instanceof RequestProblem) return error;
  if (!(error instanceof Error)) throw error;
  return new RequestProblem('orders', error.message, { cause: error });
}
