import type { Middleware } from 'koa';
import { minutes } from '../../../core/duration.ts';
import { Refusal } from '../../../core/errors.ts';
import type { Store } from '../../../store/port.ts';
import { signature } from './verify-signature.ts';

/** Beyond the time at which a signature is too old: two servers' clocks may differ. */
const MARGIN = minutes(10);

/**
 * Each signature is accepted once, on whatever endpoint. It is remembered before anything is stored:
 * a crash in between costs the original client nothing, for it signs every attempt anew.
 */
export function refuseReplay({ store }: { store: Store }): Middleware {
  return async function refuseReplay(ctx, next) {
    const { id, validUntil } = signature.take(ctx);
    const fresh = await store.signatures.remember(id, new Date(validUntil.getTime() + MARGIN));
    if (!fresh) throw replayedSignature();
    await next();
  };
}

export function replayedSignature(): Refusal {
  return new Refusal('replayed', 'cannot take the same signed request twice');
}
