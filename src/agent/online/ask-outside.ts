import { type Milliseconds, minutes } from '../../core/duration.ts';
import type { Clock } from '../../core/world.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import type { Gatherer } from '../gather.ts';
import { withLock } from '../lock.ts';
import { dueIn } from '../next-due.ts';
import { makeOnline, type Places } from '../places.ts';
import { runCollector } from '../run-collector.ts';
import { OUTSIDE_NAMES } from './asks.ts';
import { forgetRecord, type LeftRecord, readRecord, writeRecord } from './left.ts';
import type { OutsideFact } from './outside-facts.ts';

export interface AskingOutside extends Pick<Gatherer, 'hostFor' | 'toolsFor' | 'signal'> {
  places: Places;
  settings: AgentSettings;
  /** those that are wanted; of others nothing is left */
  facts: readonly OutsideFact[];
  clock: Clock;
  /** although it is not time yet */
  now: boolean;
}

export interface Asked {
  name: string;
  /** why nobody answered */
  failure?: string;
}

/** Where nobody answered, the network was missing mostly. */
const AGAIN = minutes(30);

/** Asks what is due, one after the other, and leaves the answers in the folder of this user. */
export async function askOutside(asking: AskingOutside): Promise<Asked[]> {
  const { places, facts, settings, clock, now } = asking;
  await makeOnline(places);
  return withLock(places.online.lock, 'ask outside', async () => {
    const wanted = new Set<string>(facts.map(({ name }) => name));
    for (const name of OUTSIDE_NAMES) if (!wanted.has(name)) await forgetRecord(places.online.root, name);
    const asked: Asked[] = [];
    for (const fact of facts) {
      const before = await recordOf(places, fact);
      if (now || dueOf(fact, before, settings, clock.now()) === 0) asked.push(await askOne(fact, before, asking));
    }
    return asked;
  });
}

/** How long it is until somebody is to be asked again. @returns undefined where nothing is wanted */
export async function nextAsking({
  places,
  facts,
  settings,
  clock,
}: Pick<AskingOutside, 'places' | 'facts' | 'settings' | 'clock'>): Promise<Milliseconds | undefined> {
  const now = clock.now();
  const all = await Promise.all(facts.map(async (fact) => dueOf(fact, await recordOf(places, fact), settings, now)));
  return all.length === 0 ? undefined : Math.min(...all);
}

function dueOf(fact: OutsideFact, before: LeftRecord | undefined, settings: AgentSettings, now: Date): Milliseconds {
  const interval = fact.interval(settings);
  return dueIn(before?.tried_at ?? null, before?.failure === undefined ? interval : Math.min(AGAIN, interval), now);
}

async function recordOf({ online }: Places, { name }: OutsideFact): Promise<LeftRecord | undefined> {
  return readRecord(online.root, name).catch(() => undefined);
}

async function askOne(
  { name, timeout, keepsLast, ask }: OutsideFact,
  before: LeftRecord | undefined,
  { places, clock, hostFor, toolsFor, signal }: AskingOutside,
): Promise<Asked> {
  const at = clock.now().toISOString();
  const { text, failure } = await runCollector(
    { name, describe: name, timeout, collect: ask },
    { hostFor, toolsFor },
    signal,
  );
  const last = keepsLast ? before?.answer : undefined;
  await writeRecord(
    places.online.root,
    name,
    failure === undefined
      ? { tried_at: at, answer: { at, value: JSON.parse(text) } }
      : { tried_at: at, failure, ...(last === undefined ? {} : { answer: last }) },
  );
  return { name, ...(failure === undefined ? {} : { failure }) };
}
