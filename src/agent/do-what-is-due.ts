import { OperatorError } from '../core/errors.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { type Collected, settleSpool } from './collect.ts';
import { summaryOf as collectedSummary, collectOnce, sentenceOn } from './command-collect.ts';
import { summaryOf as sentSummary, submitOnce, tell } from './command-submit.ts';
import { EXIT } from './exit-codes.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';

/** Collects where that is due, submits, and clears from the spool what was acknowledged. @returns the exit status */
export async function doWhatIsDue(session: Session, settings: AgentSettings, collects: boolean): Promise<number> {
  const { places, output, context } = session;
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
