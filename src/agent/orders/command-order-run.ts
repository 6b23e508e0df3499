import { EXIT } from '../exit-codes.ts';
import { programEnvironment } from '../host-access.ts';
import type { Session } from '../session.ts';
import { bootId } from './boot-id.ts';
import { handOverUntilTold } from './hand-over.ts';
import { readAccepted } from './read-accepted.ts';
import { openResults } from './results.ts';
import { runOrder } from './run-order.ts';
import { startSubmit } from './start-order.ts';
import { needOwnState } from './state-owner.ts';
import { wipeBy } from './wipe-by.ts';

/** What cannot be told by then is told by the timers. */
const MOST_ROUNDS = 5;

/** What `apply` starts for each order of commands, a wipe or an unlock: runs an order that was accepted before, tells what came of it, and has that handed over. */
export async function commandOrderRun({ context, places }: Session, id: string): Promise<number> {
  await needOwnState(places, context.uid);
  const accepted = await readAccepted(places, id);
  const { clock, home, signal, version } = context;
  const handOver = () => startSubmit(context, places);
  await runOrder(accepted, {
    places,
    results: openResults(places, clock),
    clock,
    boot: await bootId(),
    env: { ...programEnvironment(home), PENGUINDOME_VERSION: version },
    signal,
    handOver,
    wipe: wipeBy({ context, places }),
  });
  await handOverUntilTold({ places, handOver }, id, MOST_ROUNDS);
  return EXIT.ok;
}
