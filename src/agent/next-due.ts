import { type Milliseconds, seconds } from '../core/duration.ts';
import type { Due } from './leave-due.ts';
import { isSiteNewer } from './orders/is-site-newer.ts';
import type { Session } from './session.ts';
import { readJournal } from './spool/journal.ts';
import { readSubmitterState } from './submitter-state.ts';

/** How long it is, by the settings, until this host is to collect and to submit again. */
export async function nextDue(
  { places, context }: Session,
  settings: { collect_interval: Milliseconds; submit_interval: Milliseconds },
): Promise<Due> {
  const now = context.clock.now();
  const attempted = (await readSubmitterState(places))?.attempted_at ?? null;
  const collected = (await readJournal(places)).collected_at;
  return {
    collect: (await isSiteNewer(places, collected, now)) ? 0 : dueIn(collected, settings.collect_interval, now),
    submit: dueIn(attempted, settings.submit_interval, now),
  };
}

/** A timer that fires once an interval is a little early now and then: that must not cost it the whole interval. */
const EARLIEST: Milliseconds = seconds(5);

/** How long it is until something is due again. A time in the future was written by a wrong clock: then it is due. */
function dueIn(last: string | null, interval: Milliseconds, now: Date): Milliseconds {
  if (last === null) return 0;
  const age = now.getTime() - new Date(last).getTime();
  return age < 0 ? 0 : Math.max(0, interval - Math.min(EARLIEST, interval / 10) - age);
}
