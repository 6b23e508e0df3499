import { days, type Milliseconds, minutes } from '../../core/duration.ts';
import type { Clock } from '../../core/world.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import type { CollectorTools, OutsideName } from '../collector.ts';
import type { Places } from '../places.ts';
import { readLeft } from './left.ts';
import { whoAsks } from './who-asks.ts';

interface Taking {
  places: Pick<Places, 'online'>;
  settings: Pick<AgentSettings, 'collect_interval'>;
  clock: Clock;
  uid: number;
}

/** What collectors may take of what was asked outside. */
export async function leftFor({ places, settings, clock, uid }: Taking): Promise<CollectorTools['left']> {
  const who = await whoAsks(places, uid);
  return async (fact) => {
    // Addresses and place a collector asks for by itself; lists it does not fetch.
    if (who === 'we' && fact !== 'package_lists') return undefined;
    return readLeft(places.online.root, fact, { now: clock.now(), oldest: oldestOf(fact, settings) });
  };
}

/** How old an answer may be. A machine is elsewhere soon; lists of packages are called current for two days. */
export function oldestOf(
  fact: OutsideName,
  { collect_interval }: Pick<AgentSettings, 'collect_interval'>,
): Milliseconds {
  return fact === 'package_lists' ? days(2) : 3 * collect_interval + minutes(15);
}
