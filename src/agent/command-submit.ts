import type { AgentSettings } from '../settings/agent-settings.ts';
import { EXIT } from './exit-codes.ts';
import { finishRotation } from './finish-rotation.ts';
import { hostnameOf } from './hostname-of.ts';
import { leaveDue } from './leave-due.ts';
import { withLock } from './lock.ts';
import { nextDue } from './next-due.ts';
import { openSpeaker } from './open-speaker.ts';
import { makeSubmit } from './places.ts';
import { adviceOn, exitFor } from './problem.ts';
import { askingOf, type Session } from './session.ts';
import { type Submitted, submit } from './submit.ts';
import { leaveStatus } from './tell-status.ts';

/** What a submission came to, and what it cost. */
export type Sent = Submitted & { bytes: number };

export async function commandSubmit(session: Session): Promise<number> {
  const began = session.context.clock.now();
  const settings = await session.settings();
  const sent = await submitOnce(session, settings);
  await leaveStatus(askingOf(session, settings));
  await leaveDue(session.places.submit, await nextDue(session, settings), began);
  session.output.json(summaryOf(sent));
  return tell(session, sent);
}

export async function submitOnce({ context, places }: Session, settings: AgentSettings): Promise<Sent> {
  const hostname = hostnameOf(settings, context.hostname);
  await makeSubmit(places);
  return withLock(places.submit.lock, 'submit', async () => {
    const opened = await openSpeaker(places, settings, context);
    try {
      // A rotation that was cut off is root's to finish (penguindome-rotate-key.service).
      const speaking = { hostname, version: context.version };
      const speaker = opened.handed ? opened : await finishRotation(places, opened, speaking);
      const submitted = await submit(places, speaker, speaking);
      return { ...submitted, bytes: speaker.connection.sentBytes() };
    } finally {
      opened.connection.close();
      await opened.tickets.save();
    }
  });
}

export function summaryOf({ stored, gone, bad, waiting, problem, bytes }: Sent) {
  return {
    stored,
    gone,
    bad,
    waiting,
    bytes,
    ...(problem === undefined
      ? {}
      : { problem: { code: problem.code, reason: problem.message, advice: adviceOn(problem.code) } }),
  };
}

/** Says it in words. @returns the exit status */
export function tell({ output }: Session, { stored, gone, bad, waiting, problem, bytes }: Sent): number {
  output.line(`${counted(stored.length)} handed over, ${waiting} waiting, ${bytes} bytes sent`);
  if (gone.length > 0) output.note(`${counted(gone.length)} could not be read in the spool any more`);
  for (const { id, reason } of bad) output.note(`the server called report ${id} malformed: ${reason}`);
  if (problem === undefined) return EXIT.ok;
  output.note(`penguindome-agent: ${problem.message}`);
  output.note(`  ${adviceOn(problem.code)}`);
  return exitFor(problem.code);
}

function counted(count: number): string {
  return count === 1 ? '1 report' : `${count} reports`;
}
