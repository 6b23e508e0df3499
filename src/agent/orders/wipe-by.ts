import type { AgentContext } from '../context.ts';
import type { Places } from '../places.ts';
import { ownFolders } from '../wipe/plan-wipe.ts';
import { unlock } from '../wipe/unlock.ts';
import { wipe } from '../wipe/wipe.ts';
import type { WipeKit } from './run-wipe.ts';

interface Wiping {
  context: Pick<AgentContext, 'clock' | 'uid' | 'signal' | 'program'>;
  places: Pick<Places, 'state' | 'settings' | 'wipe'>;
}

/** What an order of that kind does to this machine. */
export function wipeBy({ context, places }: Wiping): WipeKit['wipe'] {
  const { clock, uid, signal, program } = context;
  const folder = places.wipe;
  const own = ownFolders(places, program);
  return (order, telling) =>
    order.kind === 'unlock'
      ? unlock({ folder, uid, signal, steps: telling.steps })
      : wipe({ ...telling, method: order.method, order: order.id, folder, own, clock, uid, signal });
}
