import { seconds } from '../core/duration.ts';
import type { AgentSettings } from '../settings/agent-settings.ts';
import { EXIT } from './exit-codes.ts';
import { finishRotation } from './finish-rotation.ts';
import { hostnameOf } from './hostname-of.ts';
import { leaveDue } from './leave-due.ts';
import { withLock } from './lock.ts';
import { nextDue } from './next-due.ts';
import { openSpeaker } from './open-speaker.ts';
import type { ExchangedOrders } from './orders/exchange-orders.ts';
import { isToAsk, mayHaveResults, NO_ORDERS } from './orders/is-to-ask.ts';
import { makeSubmit } from './places.ts';
import { adviceOn, exitFor, type RequestProblem } from './problem.ts';
import { askingOf, type Session } from './session.ts';
import { type Submitted, submit } from './submit.ts';
import { leaveStatus } from './tell-status.ts';

/** What a submission came to, and what it cost. */
export type Sent = Submitted & { bytes: number; exchanged: ExchangedOrders };

const MOST_ROUNDS = 5;

/** @param ordersOnly hands over no report: tells what became of orders, and fetches new ones */
export async function commandSubmit(session: Session, ordersOnly = false): Promise<number> {
  const began = session.context.clock.now();
  const settings = await session.settings();
  const sent = await submitOnce(session, settings, { reports: !ordersOnly });
  await leaveStatus(askingOf(session, settings));
  const due = await nextDue(session, settings);
  // For penguindome-tick: a run that had no report keeps the next one from nothing. It rounds seconds up.
  await leaveDue(session.places.submit, { ...due, collect: isIdle(sent) ? -seconds(1) : due.submit }, began);
  session.output.json(summaryOf(sent));
  return tell(session, sent);
}

function isIdle({ stored, gone, bad, problem }: Sent): boolean {
  return problem === undefined && stored.length + gone.length + bad.length === 0;
}

export async function submitOnce(
  { context, places }: Session,
  settings: AgentSettings,
  {
    reports = true,
    asks,
  }: {
    reports?: boolean;
    /** whether to ask for orders, where that is not to be seen from the reports */
    asks?: boolean;
  } = {},
): Promise<Sent> {
  const hostname = hostnameOf(settings, context.hostname);
  await makeSubmit(places);
  return withLock(places.submit.lock, 'submit', async () => {
    const opened = await openSpeaker(places, settings, context);
    try {
      const speaking = { hostname, version: context.version };
      // A rotation that was cut off is root's to finish (penguindome-rotate-key.service).
      const speaker = opened.handed ? opened : await finishRotation(places, opened, speaking);
      const submitted = reports ? await submit(places, speaker, speaking) : NO_REPORTS;
      const toAsk = asks ?? isToAsk(speaker, submitted);
      let exchanged = NO_ORDERS;
      if (toAsk || (submitted.problem === undefined && (await mayHaveResults(places, speaker.memory.state.epoch)))) {
        const { exchangeOrders } = await import('./orders/exchange-orders.ts');
        exchanged = await exchangeOrders(places, speaker, speaking, toAsk);
        // What became of one meanwhile: whoever noted that could start nobody to tell it, for we run.
        for (let round = 0; round < MOST_ROUNDS && exchanged.problem === undefined; round++) {
          if (!(await mayHaveResults(places))) break;
          const { told, problem } = await exchangeOrders(places, speaker, speaking, false);
          exchanged = { ...exchanged, told: exchanged.told + told, problem };
        }
      }
      return { ...submitted, bytes: speaker.connection.sentBytes(), exchanged };
    } finally {
      opened.connection.close();
      await opened.tickets.save();
    }
  });
}

export function summaryOf({ stored, gone, bad, waiting, problem, bytes, exchanged }: Sent) {
  const { asked, came, told } = exchanged;
  return {
    orders: { asked, came, told, ...problemOf(exchanged.problem) },
    stored,
    gone,
    bad,
    waiting,
    bytes,
    ...problemOf(problem),
  };
}

function problemOf(problem: RequestProblem | undefined) {
  if (problem === undefined) return {};
  return { problem: { code: problem.code, reason: problem.message, advice: adviceOn(problem.code) } };
}

/** Says it in words. @returns the exit status */
export function tell(session: Session, sent: Sent): number {
  const exit = tellReports(session, sent);
  const { came, told, problem } = sent.exchanged;
  if (came > 0) session.output.line(`${came === 1 ? '1 order' : `${came} orders`} came`);
  if (told > 0) session.output.line(`${told} reports and receipts of orders handed over`);
  if (problem === undefined || problem.code === sent.problem?.code) return exit;
  session.output.note(`penguindome-agent: ${problem.message}`);
  session.output.note(`  ${adviceOn(problem.code)}`);
  return exit === EXIT.ok ? exitFor(problem.code) : exit;
}

function tellReports({ output }: Session, { stored, gone, bad, waiting, problem, bytes }: Sent): number {
  output.line(`${counted(stored.length)} handed over, ${waiting} waiting, ${bytes} bytes sent`);
  if (gone.length > 0) output.note(`${counted(gone.length)} could not be read in the spool any more`);
  for (const { id, reason } of bad) output.note(`the server called report ${id} malformed: ${reason}`);
  if (problem === undefined) return EXIT.ok;
  output.note(`penguindome-agent: ${problem.message}`);
  output.note(`  ${adviceOn(problem.code)}`);
  return exitFor(problem.code);
}

const NO_REPORTS: Submitted = { stored: [], gone: [], bad: [], waiting: 0, problem: undefined, orders: false };

function counted(count: number): string {
  return count === 1 ? '1 report' : `${count} reports`;
}
