import { dirname } from 'node:path';
import type { WipeMethod } from '../../core/order.ts';
import type { HostAccess } from '../collector.ts';
import type { Places } from '../places.ts';
import { eraseDisks } from './disks/erase-disks.ts';
import { planErase } from './disks/plan-erase.ts';
import { readDiskFacts } from './disks/read-disk-facts.ts';
import { planHomes } from './homes/plan-homes.ts';
import { readHomesFacts } from './homes/read-homes-facts.ts';
import { wipeHomes } from './homes/wipe-homes.ts';
import { lock } from './lock/lock.ts';
import { planLock } from './lock/plan-lock.ts';
import { readLockFacts } from './lock/read-lock-facts.ts';
import type { Plan, Work } from './plan.ts';
import type { RunTool } from './tools.ts';

export interface Planning {
  host: HostAccess;
  run: RunTool;
  /** this program's own folders, which stay */
  own: readonly string[];
}

export interface Planned {
  plan: Plan;
  /** Does it. @returns what could not be done */
  carryOut(work: Work): Promise<string[]>;
}

/** Looks at this machine, changes nothing, and says what would be done. @throws where it cannot be seen */
export async function planWipe(method: WipeMethod, { host, run, own }: Planning): Promise<Planned> {
  switch (method) {
    case 'crypto-erase': {
      const plan = planErase(await readDiskFacts(host));
      return { plan, carryOut: (work) => eraseDisks(plan, work) };
    }
    case 'homes': {
      const facts = await readHomesFacts(host, own);
      const plan = planHomes(facts);
      return { plan, carryOut: (work) => wipeHomes(plan, facts, work) };
    }
    case 'lock': {
      const facts = await readLockFacts(host, run);
      return { plan: planLock(facts), carryOut: (work) => lock(facts, work) };
    }
    default:
      method satisfies never;
      throw new Error('no such method');
  }
}

/** What a wipe leaves, wherever it lies. */
export function ownFolders(
  { state, settings }: Pick<Places, 'state' | 'settings'>,
  { agent }: { agent: string },
): string[] {
  return [state, dirname(settings), dirname(agent)];
}
