import { OperatorError } from '../core/errors.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { type Collected, settleSpool } from './collect.ts';
import { summaryOf as collectedSummary, collectOnce, sentenceOn } from './command-collect.ts';
import { summaryOf as sentSummary, submitOnce, tell } from './command-submit.ts';
import { EXIT } from './exit-codes.ts';
import { listInbox } from './orders/inbox.ts';
import { mayHaveResults } from './orders/is-to-ask.ts';
import { readKnown } from './orders/known.ts';
import { isTrustNewer } from './orders/orders-status.ts';
import { stateOwner } from './orders/state-owner.ts';
import { exitFor } from './problem.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';

/** Collects where that is due, submits, clears from the spool what was acknowledged, and applies orders that came. @returns the exit status */
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
    const applied = (await isToApply(session)) ? await applyAndTell(session, settings) : EXIT.ok;
    return worse(exit, applied, collected === 'busy' ? EXIT.tryAgain : EXIT.ok);
  } finally {
    // whoever collects at the moment clears the spool too
    if (collected !== 'busy') await settleSpool(places, context.clock, settings.spool.max_size);
    await leaveStatus(askingOf(session, settings));
  }
}

function worse(...exits: readonly number[]): number {
  return exits.find((exit) => exit !== EXIT.ok) ?? EXIT.ok;
}

/** Whoever owns the state may act on orders; without anything to do nothing is loaded for it. */
async function isToApply({ places, context }: Session): Promise<boolean> {
  if ((await stateOwner(places)) !== context.uid) return false;
  const { ids, trust } = listInbox(places);
  if (ids.length > 0 || trust) return true;
  const { open, applied_at } = await readKnown(places);
  return open.length > 0 || (applied_at !== null && (await isTrustNewer(places, applied_at)));
}

async function applyAndTell(session: Session, settings: AgentSettings): Promise<number> {
  const { applyOnce, tellApplied } = await import('./command-apply.ts');
  const exit = tellApplied(session, await applyOnce(session));
  if (!(await mayHaveResults(session.places))) return exit;
  const { exchanged } = await submitOnce(session, settings, { reports: false, asks: false });
  const { problem } = exchanged;
  if (problem !== undefined) session.output.note(`penguindome-agent: ${problem.message}`);
  return problem === undefined ? exit : exitFor(problem.code);
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
