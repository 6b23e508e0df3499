import type { OutboxEntry, Sent } from '../core/delivery.ts';
import { type Milliseconds, minutes } from '../core/duration.ts';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import type { Clock, Random } from '../core/world.ts';
import type { DueMessage, OutboxStore } from '../store/port.ts';
import { DeliveryFailed } from './failure.ts';
import { groupBy } from './group-by.ts';
import type { Lane, OpenLane } from './lane.ts';
import { LONGEST_PAUSE, pauseAfter } from './pause.ts';
import { type Tally, tallyOf } from './tally.ts';

export interface SendDeps {
  outbox: OutboxStore;
  openLane: OpenLane;
  /** of one attempt */
  timeout: Milliseconds;
  giveUpAfter: Milliseconds;
  keep: Milliseconds;
  clock: Clock;
  random: Random;
  log: Log;
  signal: AbortSignal;
}

/** A lane whose receiver was not there so often in a row is left alone until the next run. */
const MOST_IN_A_ROW = 3;
/** Nothing new is begun after that: what is left waits for the next run. */
const LONGEST_RUN = minutes(10);

/** Tries everything that is due, each lane by itself. Each message is claimed before, and settled after: two runs at once share the work. */
export async function sendDue(deps: SendDeps): Promise<Sent> {
  const at = deps.clock.now();
  const tally = tallyOf(deps.log);
  const lanes = groupBy(await deps.outbox.due(at), laneName);
  const until = at.getTime() + LONGEST_RUN;
  const runs = [...lanes.values()].map((due) => runLane({ ...deps, until }, due, tally));
  const outcomes = await Promise.allSettled(runs);
  const broken = outcomes.find((outcome) => outcome.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  await deps.outbox.expire(new Date(at.getTime() - deps.keep));
  return tally.sent();
}

function laneName({ channel, receiver }: DueMessage): string {
  if (channel === 'journal') return 'journal';
  return channel === 'webhook' ? `webhook ${receiver}` : 'mail';
}

async function runLane(deps: SendDeps & { until: number }, due: DueMessage[], tally: Tally): Promise<void> {
  const [first] = due;
  if (first === undefined) return;
  let lane: Lane | undefined;
  try {
    lane = await deps.openLane(first);
  } catch (error) {
    // a password that is missing, a webhook that is not in the settings any more
    lane = { atOnce: 20, send: () => Promise.reject(new DeliveryFailed(messageOf(error), { unreachable: true })) };
  }
  if (lane === undefined) return giveUpOld(deps, due, tally);
  let inARow = 0;
  for (let from = 0; from < due.length; from += lane.atOnce) {
    if (deps.signal.aborted || deps.clock.now().getTime() >= deps.until) return;
    if (inARow >= MOST_IN_A_ROW) return giveUpOld(deps, due.slice(from), tally);
    const some = due.slice(from, from + lane.atOnce).map(({ message }) => message);
    const reached = await sendSome(deps, lane, some, tally);
    inARow = reached ? 0 : inARow + 1;
  }
}

/** @returns whether the receiver was there, for any of them */
async function sendSome(deps: SendDeps, lane: Lane, messages: string[], tally: Tally): Promise<boolean> {
  const { by, entries } = await claim(deps, messages);
  const parts = [...groupBy(entries, ({ message }) => message).values()];
  const reached = await Promise.all(parts.map((part) => sendOne(deps, lane, { by, entries: part }, tally)));
  return reached.length === 0 || reached.includes(true);
}

async function claim(
  { outbox, clock, random, timeout }: SendDeps,
  messages: string[],
): Promise<{ by: string; entries: OutboxEntry[] }> {
  const at = clock.now();
  const by = random.uuid();
  return { by, entries: await outbox.claim(messages, { by, at, until: new Date(at.getTime() + leaseOf(timeout)) }) };
}

/** Longer than an attempt can take, so that nobody tries what is still being tried; and a run that was killed holds up what it had no longer. */
function leaseOf(timeout: Milliseconds): Milliseconds {
  return timeout * 3;
}

/** @returns whether the receiver was there */
async function sendOne(
  deps: SendDeps,
  lane: Lane,
  { by, entries }: { by: string; entries: OutboxEntry[] },
  tally: Tally,
): Promise<boolean> {
  const { outbox, clock, signal } = deps;
  try {
    await lane.send(entries, { test: false, signal });
  } catch (error) {
    if (signal.aborted) await outbox.settle(by, keysOf(entries), { outcome: 'released' });
    else await settleFailed(deps, { by, entries }, error, tally);
    return !(error instanceof DeliveryFailed && error.unreachable);
  }
  tally.delivered(await outbox.settle(by, keysOf(entries), { outcome: 'delivered', at: clock.now() }));
  return true;
}

async function settleFailed(
  deps: SendDeps,
  { by, entries }: { by: string; entries: OutboxEntry[] },
  error: unknown,
  tally: Tally,
): Promise<void> {
  const { outbox, clock, random, giveUpAfter } = deps;
  const at = clock.now();
  const failure = messageOf(error).slice(0, LONGEST_FAILURE);
  const old = ({ created_at }: OutboxEntry) => at.getTime() - created_at.getTime() >= giveUpAfter;
  const [given, kept] = [entries.filter(old), entries.filter((entry) => !old(entry))];
  if (given.length > 0) await outbox.settle(by, keysOf(given), { outcome: 'given-up', failure, at });
  if (kept.length > 0) {
    const attempts = Math.max(...kept.map((entry) => entry.attempts)) + 1;
    const asked = error instanceof DeliveryFailed ? (error.retryAfter ?? 0) : 0;
    const pause = Math.max(pauseAfter(attempts, random), Math.min(asked, LONGEST_PAUSE));
    await outbox.settle(by, keysOf(kept), { outcome: 'failed', failure, next_at: new Date(at.getTime() + pause) });
  }
  tally.failed(kept, failure);
  tally.givenUp(given, failure);
}

const LONGEST_FAILURE = 300;

/** Of a lane that is left alone: what has waited too long is given up all the same, so that a dead receiver's messages do not pile up. */
async function giveUpOld(deps: SendDeps, due: DueMessage[], tally: Tally): Promise<void> {
  const at = deps.clock.now();
  const old = due.filter(({ created_at }) => at.getTime() - created_at.getTime() >= deps.giveUpAfter);
  for (let from = 0; from < old.length; from += AT_ONCE) {
    const messages = old.slice(from, from + AT_ONCE).map(({ message }) => message);
    const { by, entries } = await claim(deps, messages);
    const failure = 'the receiver could not be reached';
    await deps.outbox.settle(by, keysOf(entries), { outcome: 'given-up', failure, at });
    tally.givenUp(entries, failure);
  }
}

const AT_ONCE = 100;

const keysOf = (entries: readonly OutboxEntry[]) => entries.map(({ key }) => key);
