import type { Middleware } from 'koa';
import type { KeyId } from '../../../core/host.ts';
import type { Clock } from '../../../core/world.ts';
import type { Store } from '../../../store/port.ts';
import { replayed } from '../../spend-sequence.ts';
import { CLOCK_SKEW } from './check-clock.ts';
import { request } from './read-signature.ts';

/**
 * A number far ahead would lock its host out until the clock gets there: refused, and not used up.
 * That a number is above the last one only the store's guarded writes decide.
 */
export function checkSequence({ store, clock }: { store: Store; clock: Clock }): Middleware {
  return async function checkSequence(ctx, next) {
    const { keyId, sequence } = request.take(ctx);
    const furthest = (clock.now().getTime() + CLOCK_SKEW) * 1000;
    if (sequence > furthest) throw replayed(await lastUsed(store, keyId), 'ahead');
    await next();
  };
}

async function lastUsed(store: Store, keyId: KeyId): Promise<number> {
  const host = await store.hosts.findByKey(keyId);
  return host?.identity.sequence ?? (await store.enrollments.find(keyId))?.sequence ?? 0;
}
