import { Refusal } from '../core/errors.ts';
import type { Host, Identity } from '../core/host.ts';

/** Whoever has a lost machine in hand speaks with its keys: nothing that they say of the machine counts. @throws Refusal */
export function refuseLost({ identity }: Host & { identity: Identity }): void {
  if (identity.lost_at === undefined) return;
  throw new Refusal('lost', 'cannot take this from a host that is marked as lost', {
    detail: `since ${identity.lost_at.toISOString()}; penguindome hosts lost --found`,
  });
}
