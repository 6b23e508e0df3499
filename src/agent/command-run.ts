import { type Milliseconds, seconds } from '../core/duration.ts';
import { EXIT } from './exit-codes.ts';
import { type Due, forgetDue, leaveDue } from './leave-due.ts';
import { isSiteNewer } from './orders/is-site-newer.ts';
import type { Session } from './session.ts';
import { readJournal } from './spool/journal.ts';
import { readSubmitterState } from './submitter-state.ts';

/** All that is due: collect, submit, and clear what was acknowledged. */
export async function commandRun(session: Session, now: boolean): Promise<number> {
  const { places, output, context } = session;
  const began = context.clock.now();
  const settings = await session.settings();
  const due = await nextDue(session, settings);
  const collects = now || due.collect === 0;
  const submits = collects || due.submit === 0;
  if (!submits) {
    await leaveDue(places, due, began);
    output.json({ collected: false, submitted: false });
    output.line('nothing is due');
    return EXIT.ok;
  }
  const { doWhatIsDue } = await import('./do-what-is-due.ts');
  try {
    const exit = await doWhatIsDue(session, settings, collects);
    await leaveDue(places, await nextDue(session, settings), began);
    return exit;
  } catch (error) {
    await forgetDue(places).catch(() => undefined);
    throw error;
  }
}

async function nextDue(
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
