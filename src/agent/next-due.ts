import { type Milliseconds, minutes, seconds } from '../core/duration.ts';
import type { Clock } from '../core/world.ts';
import type { Due } from './leave-due.ts';
import { isSiteNewer } from './orders/is-site-newer.ts';
import { mayHaveResults } from './orders/is-to-ask.ts';
import type { Places } from './places.ts';
import { readJournal } from './spool/journal.ts';
import { readSubmitterState } from './submitter-state.ts';

/** How long it is, by the settings, until this host is to collect and to submit again. */
export async function nextDue(
  { places, context }: { places: Places; context: { clock: Clock } },
  settings: { collect_interval: Milliseconds; submit_interval: Milliseconds },
): Promise<Due> {
  const now = context.clock.now();
  const attempted = (await readSubmitterState(places))?.attempted_at ?? null;
  const collected = (await readJournal(places)).collected_at;
  const wait = (await mayHaveResults(places))
    ? Math.min(LONGEST_UNTOLD, settings.submit_interval)
    : settings.submit_interval;
  return {
    collect: (await isSiteNewer(places, collected, now)) ? 0 : dueIn(collected, settings.collect_interval, now),
    submit: dueIn(attempted, wait, now),
  };
}

/** What became of orders, where the server could not be told at once. */
const LONGEST_UNTOLD: Milliseconds = minutes(5);

/** A timer that fires once an interval is a little early now and then: that must not cost it the whole interval. */
const EARLIEST: Milliseconds = seconds(5);

/** How long it is until something is due again. A time in the future was written by a wrong clock: then it is due. */
export function dueIn(last: string | null, interval: Milliseconds, now: Date): Milliseconds {
  if (last === null) return 0;
  const age = now.getTime() - new Date(last).getTime();
  return age < 0 ? 0 : Math.max(0, interval - Math.min(EARLIEST, interval / 10) - age);
}
