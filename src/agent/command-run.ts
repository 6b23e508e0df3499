import { type Milliseconds, seconds } from '../core/duration.ts';
import { EXIT } from './exit-codes.ts';
import type { Session } from './session.ts';
import { readJournal } from './spool/journal.ts';
import { readSubmitterState } from './submitter-state.ts';

/** All that is due: collect, submit, and clear what was acknowledged. */
export async function commandRun(session: Session, now: boolean): Promise<number> {
  const { places, output, context } = session;
  const settings = await session.settings();
  const at = context.clock.now();
  const collects = now || isDue((await readJournal(places)).collected_at, settings.collect_interval, at);
  const attempted = (await readSubmitterState(places))?.attempted_at ?? null;
  const submits = collects || isDue(attempted, settings.submit_interval, at);
  if (!submits) {
    output.json({ collected: false, submitted: false });
    output.line('nothing is due');
    return EXIT.ok;
  }
  const { doWhatIsDue } = await import('./do-what-is-due.ts');
  return doWhatIsDue(session, settings, collects);
}

/** A timer that fires once an interval is a little early now and then: that must not cost it the whole interval. */
const EARLIEST: Milliseconds = seconds(5);

/** A time in the future was written by a wrong clock: then it is due. */
function isDue(last: string | null, interval: Milliseconds, now: Date): boolean {
  if (last === null) return true;
  const age = now.getTime() - new Date(last).getTime();
  return age < 0 || age >= interval - Math.min(EARLIEST, interval / 10);
}
