import { setTimeout as sleep } from 'node:timers/promises';
import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import type { WipeMethod } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import { hostAccess } from '../host-access.ts';
import { eraseDisks, wakeVolumes } from './disks/erase-disks.ts';
import { planErase } from './disks/plan-erase.ts';
import { powerOff } from './disks/power-off.ts';
import { readDiskFacts } from './disks/read-disk-facts.ts';
import { planHomes } from './homes/plan-homes.ts';
import { readHomesFacts } from './homes/read-homes-facts.ts';
import { wipeHomes } from './homes/wipe-homes.ts';
import { lock } from './lock/lock.ts';
import { planLock } from './lock/plan-lock.ts';
import { readLockFacts } from './lock/read-lock-facts.ts';
import type { Plan } from './plan.ts';
import { forgetProgress, type Progress, readProgress, writeProgress } from './progress.ts';
import { type RunTool, systemTools } from './tools.ts';

export interface WipeDeps {
  method: WipeMethod;
  /** id of the order */
  order: string;
  /** `STATE/wipe`, root's alone: how far it came, and what `unlock` must know */
  folder: string;
  /** this program's own folders, which stay */
  own: readonly string[];
  clock: Clock;
  uid: number;
  /** ends what is under way */
  signal: AbortSignal;
  /** hears each step when it is done */
  steps(sentence: string): Promise<void>;
  /** tells the server what was done and what comes, and returns once it has acknowledged that, or does not */
  tellBefore(steps: readonly string[]): Promise<void>;
  /** the same with the outcome, before the machine goes off: nothing can be told after that */
  tellAfter(outcome: WipeOutcome): Promise<void>;
}

/** Also of `unlock`. */
export interface WipeOutcome {
  state: 'done' | 'failed';
  /** of `failed`: one line */
  reason?: string;
  /** what was done, and what could not be: sentences */
  steps: string[];
}

/** The server gets so long to acknowledge what comes; then it comes. */
const LONGEST_WAIT: Milliseconds = seconds(60);
/** As long as keys are still in memory. */
const LAST_WAIT: Milliseconds = seconds(20);

/**
 * Wipes this machine by one method. What was cut off is finished when this is called again with the same order: each step may be done twice.
 * Comes back from `crypto-erase` only where the machine could not be powered off.
 */
export async function wipe(deps: WipeDeps): Promise<WipeOutcome> {
  if (deps.uid !== 0) return { state: 'failed', reason: 'only root can wipe a machine', steps: [] };
  const run = systemTools(deps.signal);
  const outcome = await attempt(deps, run).catch((error): WipeOutcome => {
    return { state: 'failed', reason: messageOf(error), steps: [] };
  });
  await forgetProgress(deps.folder);
  if (deps.method !== 'crypto-erase' || outcome.state === 'failed') return outcome;
  await within(LAST_WAIT, () => deps.tellAfter(outcome));
  try {
    await powerOff(run);
  } catch (error) {
    return { ...outcome, state: 'failed', reason: messageOf(error) };
  }
  return outcome;
}

async function attempt(deps: WipeDeps, run: RunTool): Promise<WipeOutcome> {
  const { method, folder, own } = deps;
  const host = hostAccess({ clock: deps.clock, uid: deps.uid, home: '/root', signal: deps.signal });
  switch (method) {
    case 'crypto-erase': {
      await wakeVolumes(run);
      const plan = planErase(await readDiskFacts(host));
      return act(deps, plan, (step) => eraseDisks(plan, run, step));
    }
    case 'homes': {
      const facts = await readHomesFacts(host, [...own, folder]);
      const plan = planHomes(facts);
      return act(deps, plan, (step) => wipeHomes(plan, facts, { run, folder, step }));
    }
    case 'lock': {
      const facts = await readLockFacts(host, run);
      return act(deps, planLock(facts), (step) => lock(facts, { run, folder, step }));
    }
    default:
      method satisfies never;
      throw new Error('no such method');
  }
}

/** @param work @returns what could not be done */
async function act(
  deps: WipeDeps,
  plan: Plan,
  work: (step: (sentence: string) => Promise<void>) => Promise<string[]>,
): Promise<WipeOutcome> {
  const { order, method, folder } = deps;
  if (plan.refused !== undefined) return { state: 'failed', reason: plan.refused, steps: sentencesOf(plan) };
  const before = await readProgress(folder, order, method);
  const progress: Progress = before ?? { order, method, told: false, steps: [] };
  const write = (changes: Partial<Progress>) => writeProgress(folder, Object.assign(progress, changes));
  if (!progress.told) {
    await within(LONGEST_WAIT, () => deps.tellBefore(sentencesOf(plan)));
    await write({ told: true });
  }
  const not = await work(async (sentence) => {
    progress.steps.push(sentence);
    await write({});
    await deps.steps(sentence).catch(() => undefined);
  });
  const steps = [...progress.steps, ...[...not, ...plan.cannot].map((sentence) => `not done: ${sentence}`)];
  if (not.length === 0) return { state: 'done', steps };
  return { state: 'failed', reason: `not all could be done: ${not[0]}`, steps };
}

/** What comes, and what will stay. */
export function sentencesOf({ will, cannot }: Plan): string[] {
  return [...will.map((sentence) => `will ${sentence}`), ...cannot.map((sentence) => `out of reach: ${sentence}`)];
}

/** Nobody who does not answer keeps a wipe from going on. */
async function within(time: Milliseconds, work: () => Promise<void>): Promise<void> {
  const over = new AbortController();
  const told = work().catch(() => undefined);
  await Promise.race([told, sleep(time, undefined, { signal: over.signal }).catch(() => undefined)]);
  over.abort();
}
