import type { Middleware } from 'koa';
import { minutes } from '../../core/duration.ts';
import { Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Clock } from '../../core/world.ts';
import type { Limits } from '../../settings/server-settings.ts';
import { clientAddress } from '../client-address.ts';
import { createRateLimiter } from '../rate-limiter.ts';

/** Enrolments cost: a look into the store, a signature to verify. Here, before all of that, one address gets so many in a minute. */
export function limitRate({ limits, clock, log }: { limits: () => Limits; clock: Clock; log: Log }): Middleware {
  const limiter = createRateLimiter(minutes(1));
  return async function limitRate(ctx, next) {
    const address = clientAddress.take(ctx);
    const { wait, first } = limiter.take(address, limits().enroll_rate, clock.now());
    if (wait > 0) {
      // One line for all that follows, or whoever tries would fill the log.
      if (first) log.event('enroll.limited', { remote: address, rate: limits().enroll_rate });
      ctx.set('Retry-After', String(Math.ceil(wait / 1000)));
      throw new Refusal('too-many-requests', 'cannot take more enrolments from this address now; come again');
    }
    await next();
  };
}
