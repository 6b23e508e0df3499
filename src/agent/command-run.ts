import { EXIT } from './exit-codes.ts';
import { forgetDue, leaveDue } from './leave-due.ts';
import { nextDue } from './next-due.ts';
import type { Session } from './session.ts';

/** All that is due: collect, submit, clear what was acknowledged, apply orders. */
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
