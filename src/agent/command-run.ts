import { type Milliseconds, seconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { type Collected, settleSpool } from './collect.ts';
import { summaryOf as collectedSummary, collectOnce, sentenceOn } from './command-collect.ts';
import { summaryOf as sentSummary, submitOnce, tell } from './command-submit.ts';
import { EXIT } from './exit-codes.ts';
import { askingOf, type Session } from './session.ts';
import { readJournal } from './spool/journal.ts';
import { readSubmitterState } from './submitter-state.ts';
import { leaveStatus } from './tell-status.ts';

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
  const collected = collects ? await tryToCollect(session, settings) : undefined;
  if (collected !== undefined && collected !== 'busy') output.line(sentenceOn(collected));
  try {
    const sent = await submitOnce(session, settings);
    output.json({
      ...(collected === undefined || collected === 'busy' ? { collected: false } : collectedSummary(collected)),
      submitted: sentSummary(sent),
    });
    const exit = tell(session, sent);
    return collected === 'busy' && exit === EXIT.ok ? EXIT.tryAgain : exit;
  } finally {
    // whoever collects at the moment clears the spool too
    if (collected !== 'busy') await settleSpool(places, context.clock, settings.spool.max_size);
    await leaveStatus(askingOf(session, settings));
  }
}

/** Another run may be collecting, for as long as a slow plugin takes: what waits is submitted all the same. */
async function tryToCollect(session: Session, settings: AgentSettings): Promise<Collected | 'busy'> {
  try {
    return await collectOnce(session, settings);
  } catch (error) {
    const busy = error instanceof OperatorError && error.exitCode === EXIT.tryAgain;
    if (!busy || session.context.signal.aborted) throw error;
    session.output.note(error.message);
    return 'busy';
  }
}

/** A timer that fires once an interval is a little early now and then: that must not cost it the whole interval. */
const EARLIEST: Milliseconds = seconds(5);

/** A time in the future was written by a wrong clock: then it is due. */
function isDue(last: string | null, interval: Milliseconds, now: Date): boolean {
  if (last === null) return true;
  const age = now.getTime() - new Date(last).getTime();
  return age < 0 || age >= interval - Math.min(EARLIEST, interval / 10);
}
