import type { OrderReport } from '../../core/order.ts';
import type { Manifest } from '../../wire/v2/order.ts';
import { MOST_STEPS } from '../../wire/v2/order-messages.ts';
import type { Places } from '../places.ts';
import type { WipeDeps, WipeOutcome } from '../wipe/wipe.ts';
import type { Accepted, Results } from './accepted.ts';
import { handOverUntilTold } from './hand-over.ts';
import { type Ended, writeOrderState } from './order-state.ts';
import { tellOutcome } from './tell-outcome.ts';

type WipeOrder = Extract<Manifest, { kind: 'wipe' | 'unlock' }>;

/** How a wipe tells what it does. */
type Telling = Pick<WipeDeps, 'steps' | 'tellBefore' | 'tellAfter'>;

export interface WipeKit {
  places: Pick<Places, 'results' | 'inbox'>;
  results: Results;
  boot: string;
  /** has handed over what was reported */
  handOver(): Promise<void>;
  wipe(order: WipeOrder, telling: Telling): Promise<WipeOutcome>;
}

/** Wipes, or undoes a lock. Unlike a command it goes on after it was cut off, from where it was. */
export async function runWipe(accepted: Accepted, order: WipeOrder, kit: WipeKit): Promise<void> {
  const { folder } = accepted;
  const { results } = kit;
  const { id, kind, by, why } = order;
  await results.receipt({ order: id, kind, by, why, event: 'started', detail: kind === 'wipe' ? order.method : kind });
  await results.report(id, { state: 'running' });
  await writeOrderState(folder, { phase: 'running', boot: kit.boot, steps: [], ran: [], path: kind });
  const outcome = await kit.wipe(order, tellingOf(order, kit));
  const { state, reason, steps } = outcome;
  const ended: Ended = {
    phase: 'ended',
    steps,
    ran: [],
    outcome: { state, ...(reason === undefined ? {} : { reason }) },
  };
  await writeOrderState(folder, ended);
  await tellOutcome(accepted, ended, results);
}

function tellingOf({ id, kind, by, why }: WipeOrder, kit: WipeKit): Telling {
  const { results } = kit;
  const done: string[] = [];
  const tell = async (report: Omit<OrderReport, 'order' | 'number' | 'at'>) => {
    await results.report(id, report);
    await handOverUntilTold(kit, id);
  };
  return {
    steps: async (sentence) => {
      if (done.length < MOST_STEPS) done.push(sentence);
      await results.report(id, { state: kind === 'wipe' ? 'about-to' : 'running', steps: done });
    },
    tellBefore: (steps) => tell({ state: 'about-to', steps: [...steps] }),
    tellAfter: async ({ state, reason, steps }) => {
      const detail = reason ?? steps.join('; ');
      await results.receipt({ order: id, kind, by, why, event: state, detail });
      await tell({ state, steps, ...(reason === undefined ? {} : { reason }) });
    },
  };
}
