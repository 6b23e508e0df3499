import { join } from 'node:path';
import { days } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { collectorTools } from './collector-tools.ts';
import { EXIT } from './exit-codes.ts';
import { hostAccess } from './host-access.ts';
import { leaveDue } from './leave-due.ts';
import { type Asked, type AskingOutside, askOutside, nextAsking } from './online/ask-outside.ts';
import { readAsks } from './online/asks.ts';
import { outsideFacts, wantedFacts } from './online/outside-facts.ts';
import { whoAsks } from './online/who-asks.ts';
import type { Session } from './session.ts';

/** Asks outside what only others can tell of this machine, as the user whose folder for that is there. */
export async function commandCollectOnline(session: Session, now: boolean): Promise<number> {
  const { context, places, output } = session;
  const began = context.clock.now();
  await needOwnFolder(session);
  const settings = await session.settings();
  const asking = await askingOf(session, settings, now);
  const asked = await askOutside(asking);
  const left = (await nextAsking(asking)) ?? days(1);
  await leaveDue({ due: places.online.due }, { collect: left, submit: left }, began);
  output.json({ asked });
  output.line(sentenceOn(asked));
  for (const { name, failure } of asked) if (failure !== undefined) output.note(`${name}: ${failure}`);
  return EXIT.ok;
}

/** What another user left must not lead root to any place that this user chose. */
async function needOwnFolder({ context, places }: Session): Promise<void> {
  if ((await whoAsks(places, context.uid)) === 'we') return;
  throw new OperatorError(
    `cannot ask outside: ${places.online.root} is another user's, who does that; run systemctl start penguindome-collect-online`,
    { exitCode: EXIT.usage },
  );
}

async function askingOf({ context, places }: Session, settings: AgentSettings, now: boolean): Promise<AskingOutside> {
  const { clock, uid, home, credentials, signal, version } = context;
  const hostFor = (own: AbortSignal) => hostAccess({ clock, uid, home, signal: own });
  const asks = new Set<string>(await readAsks(places));
  const wanted = await wantedFacts(outsideFacts(places.online.lists), settings, hostFor(signal));
  return {
    places,
    settings,
    facts: wanted.filter(({ name }) => asks.has(name)),
    clock,
    hostFor,
    toolsFor: (name) =>
      collectorTools({ folder: join(places.online.kept, name), clock, settings, version, keeps: true, credentials }),
    signal,
    now,
  };
}

function sentenceOn(asked: readonly Asked[]): string {
  const told = asked.filter(({ failure }) => failure === undefined).map(({ name }) => name);
  return told.length === 0 ? 'asked nobody' : `asked for ${told.join(', ')}`;
}
