import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { minutes } from '../../core/duration.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import type { Places } from '../places.ts';
import type { Trouble } from '../trouble.ts';
import { readAsks } from './asks.ts';
import { readLeft } from './left.ts';
import { oldestOf } from './left-for.ts';

/** Whoever asks outside has had time by then. */
const PATIENCE = minutes(30);

/** Which answers of those that the collector wants another user to ask for are missing, for `status`. Whoever may not look is not told. */
export async function onlineTroubles(
  places: Pick<Places, 'asks' | 'online'>,
  settings: Pick<AgentSettings, 'collect_interval'>,
  now: Date,
): Promise<Trouble[]> {
  try {
    const since = now.getTime() - (await stat(places.asks)).mtime.getTime();
    if (since >= 0 && since < PATIENCE) return [];
    await access(places.online.root, constants.R_OK | constants.X_OK);
    const lefts = await Promise.all(
      (await readAsks(places)).map(async (name) => ({
        name,
        left: await readLeft(places.online.root, name, { now, oldest: oldestOf(name, settings) }),
      })),
    );
    return lefts.flatMap(({ name, left }) =>
      'reason' in left ? [{ code: 'not-asked', what: `${name}: ${left.reason}`, advice: ADVICE }] : [],
    );
  } catch {
    return [];
  }
}

const ADVICE =
  'have it asked now, and see what it says: systemctl start penguindome-collect-online; journalctl -u penguindome-collect-online';
