import { isDeepStrictEqual } from 'node:util';
import type { ServerSettings } from '../settings/server-settings.ts';

/** The changed settings that a running server cannot take over. */
export function whatNeedsRestart(before: ServerSettings, after: ServerSettings): string[] {
  const changed = (['store', 'state', 'processes'] as const).filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );
  return before.limits.headers === after.limits.headers ? changed : [...changed, 'limits.headers'];
}
