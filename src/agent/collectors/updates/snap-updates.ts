import { isFields, valueAt } from '../../../core/value.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { parseJson } from '../parse-json.ts';
import { sortedNames } from '../updates.ts';

const STATE = '/var/lib/snapd/state.json';
const MEBIBYTE = 1024 * 1024;

/** What snapd found when it last asked the store, which it does every day, and whether it may install it by itself. */
export const snapUpdates: Fact = {
  name: 'snap_updates',
  look: async (host: HostAccess) => {
    if ((await host.find('snap')) === undefined) return undefined;
    const text = await host.readText(STATE, { max: 16 * MEBIBYTE });
    if (text === undefined) return unknown('snapd has no state yet');
    return parseSnapState(text, host.now()) ?? unknown(`cannot make out what ${STATE} says`);
  },
};

/**
 * snapd's own state: `data.refresh-candidates` has a key for each snap with an update, `data.config.core.refresh.hold` the time until
 * which nothing is installed, or `forever`.
 */
export function parseSnapState(text: string, now: Date): { held: boolean; waiting: string[] } | undefined {
  const state = parseJson(text);
  if (!isFields(valueAt(state, 'data'))) return undefined;
  const candidates = valueAt(state, 'data.refresh-candidates');
  const hold = valueAt(state, 'data.config.core.refresh.hold');
  return {
    held: hold === 'forever' || (typeof hold === 'string' && Date.parse(hold) > now.getTime()),
    waiting: sortedNames(isFields(candidates) ? Object.keys(candidates) : []),
  };
}
