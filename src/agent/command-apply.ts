import { days, type Milliseconds } from '../core/duration.ts';
import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import { hostnameOf } from './hostname-of.ts';
import { forgetDue, leaveDue } from './leave-due.ts';
import { type Applied, apply } from './orders/apply.ts';
import { carryOut } from './orders/carry-out.ts';
import { readKnown } from './orders/known.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';
import { readTrust } from './trust.ts';

/** What has expired is tidied up then, if nothing else is to be done. */
const LONGEST_REST: Milliseconds = days(1);

export async function commandApply(session: Session): Promise<number> {
  const { context, places } = session;
  const began = context.clock.now();
  const settings = await session.settings();
  // However this run ends, the next one is due unless it says otherwise.
  await forgetDue({ due: places.orders.due });
  const applied = await applyOnce(session);
  await leaveStatus(askingOf(session, settings));
  const { open, problem } = await readKnown(places);
  if (open.length === 0 && problem === null) {
    await leaveDue({ due: places.orders.due }, { collect: LONGEST_REST, submit: LONGEST_REST }, began);
  }
  session.output.json(applied);
  return tellApplied(session, applied);
}

export async function applyOnce({ context, places, settings }: Session): Promise<Applied> {
  const trust = await readTrust(places);
  if (trust === undefined) {
    throw new OperatorError('cannot apply orders: this host is not enrolled', { exitCode: EXIT.notSetUp });
  }
  const { clock, uid, home, program, signal } = context;
  const hostname = hostnameOf(await settings(), context.hostname);
  const own = { host_id: trust.host_id, hostname, order_key: trust.order_key };
  return apply({ places, clock, uid, home, program, signal, own, carryOut });
}

/** Says it in words. @returns the exit status */
export function tellApplied({ output }: Session, applied: Applied): number {
  const { accepted, waiting, refused, broken, problem } = applied;
  for (const id of accepted) output.line(`order ${id} was accepted`);
  for (const { order, reason } of waiting) output.line(`order ${order} waits: ${reason}`);
  for (const { order, reason } of refused) output.note(`order ${order} was refused: ${reason}`);
  for (const { order, reason } of broken) output.note(`penguindome-agent: cannot carry out order ${order}: ${reason}`);
  if (problem !== null) output.note(`penguindome-agent: ${problem}`);
  if (accepted.length + waiting.length + refused.length + broken.length === 0) output.line('no orders to apply');
  return broken.length > 0 || problem !== null ? EXIT.failed : EXIT.ok;
}
