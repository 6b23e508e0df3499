import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import { hostnameOf } from './hostname-of.ts';
import { type Applied, apply } from './orders/apply.ts';
import { carryOut } from './orders/carry-out.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';
import { readTrust } from './trust.ts';

export async function commandApply(session: Session): Promise<number> {
  const settings = await session.settings();
  const applied = await applyOnce(session);
  await leaveStatus(askingOf(session, settings));
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
