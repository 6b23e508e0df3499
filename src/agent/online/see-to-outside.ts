import { access } from 'node:fs/promises';
import { messageOf } from '../../core/errors.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import type { Gatherer } from '../gather.ts';
import type { Session } from '../session.ts';
import { askOutside } from './ask-outside.ts';
import { leaveAsks } from './asks.ts';
import { outsideFacts, wantedFacts } from './outside-facts.ts';
import { whoAsks } from './who-asks.ts';

/**
 * Before a collection: tells the user who asks outside what is wanted; where there is none, fetches what collectors do not ask for by
 * themselves. That nobody answers is no reason not to collect.
 */
export async function seeToOutside(
  { context, places, output }: Session,
  settings: AgentSettings,
  { collectors, hostFor, toolsFor, signal }: Gatherer,
): Promise<void> {
  const runs = new Set(collectors.map(({ name }) => name));
  const wanted = await wantedFacts(outsideFacts(places.online.lists), settings, hostFor(signal));
  const facts = wanted.filter(({ collector }) => runs.has(collector));
  if ((await whoAsks(places, context.uid)) === 'another') {
    await leaveAsks(
      places,
      facts.map(({ name }) => name),
    );
    return;
  }
  if (places.hasUnits && (await isComing())) return;
  const lists = facts.filter(({ name }) => name === 'package_lists');
  if (lists.length === 0) return;
  try {
    const asking = { places, settings, facts: lists, clock: context.clock, hostFor, toolsFor, signal, now: false };
    for (const { name, failure } of await askOutside(asking)) {
      if (failure !== undefined) output.note(`${name}: ${failure}`);
    }
  } catch (error) {
    output.note(`package_lists: ${messageOf(error)}`);
  }
}

const UNIT = '/usr/lib/systemd/system/penguindome-collect-online.service';

/** Its folder is still to be made, as in the midst of an upgrade: one that root makes would keep that user out of it. */
async function isComing(): Promise<boolean> {
  return access(UNIT).then(
    () => true,
    () => false,
  );
}
