import { type Milliseconds, seconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import type { WipeMethod } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import { LONGEST_STEP, MOST_STEPS } from '../../wire/v2/order-messages.ts';
import { hostAccess } from '../host-access.ts';
import { wakeVolumes } from './disks/erase-disks.ts';
import { powerOff } from './disks/power-off.ts';
import type { Plan } from './plan.ts';
import { type Planned, planWipe } from './plan-wipe.ts';
import { forgetProgress, type Progress, readProgress, writeProgress } from './progress.ts';
import { type RunTool, systemTools } from './tools.ts';
import { within } from './within.ts';

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
  const { begun, ...outcome } = await attempt(deps, run);
  await forgetProgress(deps.folder);
  if (!goesOff(deps.method, begun)) return outcome;
  // Also where not all could be erased: what was is only beyond reach once memory is empty.
  await within(LAST_WAIT, () => deps.tellAfter(outcome));
  try {
    await powerOff(run);
  } catch (error) {
    return { ...outcome, state: 'failed', reason: messageOf(error) };
  }
  return outcome;
}

/** A machine whose disks were erased must not stay on with the keys in memory; one that refused to erase them must not go off as if it had. */
export function goesOff(method: WipeMethod, begun: boolean): boolean {
  return begun && method === 'crypto-erase';
}

async function attempt(deps: WipeDeps, run: RunTool): Promise<WipeOutcome & { begun: boolean }> {
  let begun = false;
  const begins = () => {
    begun = true;
  };
  try {
    return { ...(await byMethod({ ...deps, begins }, run)), begun };
  } catch (error) {
    return { state: 'failed', reason: fitted(messageOf(error)), steps: [], begun };
  }
}

type Attempt = WipeDeps & { begins(): void };

async function byMethod(deps: Attempt, run: RunTool): Promise<WipeOutcome> {
  const { method, clock, uid, signal } = deps;
  const host = hostAccess({ clock, uid, home: '/root', signal });
  if (method === 'crypto-erase') await wakeVolumes(run);
  return act(deps, await planWipe(method, { host, run, own: [...deps.own, deps.folder] }), run);
}

async function act(deps: Attempt, { plan, carryOut }: Planned, run: RunTool): Promise<WipeOutcome> {
  const { order, method, folder } = deps;
  if (plan.refused !== undefined) return { state: 'failed', reason: plan.refused, steps: sentencesOf(plan) };
  const before = await readProgress(folder, order, method);
  const progress: Progress = before ?? { order, method, told: false, steps: [] };
  const write = (changes: Partial<Progress>) => writeProgress(folder, Object.assign(progress, changes));
  if (!progress.told) {
    await within(LONGEST_WAIT, () => deps.tellBefore(sentencesOf(plan)));
    await write({ told: true });
  }
  deps.begins();
  const step = async (sentence: string) => {
    const again = progress.steps.includes(fitted(sentence));
    if (progress.steps.length < MOST_STEPS && !again) progress.steps.push(fitted(sentence));
    await write({});
    await deps.steps(fitted(sentence)).catch(() => undefined);
  };
  const not = await carryOut({ run, folder, step });
  const remarks = [...not.map((what) => `not done: ${what}`), ...plan.cannot.map((what) => `out of reach: ${what}`)];
  const steps = [...progress.steps, ...remarks].slice(0, MOST_STEPS).map(fitted);
  if (not.length === 0) return { state: 'done', steps };
  return { state: 'failed', reason: fitted(`not all could be done: ${not[0]}`), steps };
}

function fitted(sentence: string): string {
  const line = sentence.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return line.length <= LONGEST_STEP ? line : `${line.slice(0, LONGEST_STEP - 2)} …`;
}

/** What comes, and what will stay. */
export function sentencesOf({ will, cannot }: Plan): string[] {
  const sentences = [...will.map((what) => `will ${what}`), ...cannot.map((what) => `out of reach: ${what}`)];
  return sentences.slice(0, MOST_STEPS).map(fitted);
}
