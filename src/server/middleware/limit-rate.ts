import type { Middleware } from 'koa';
import { Refusal } from '../../core/errors.ts';
import type { Log } from '../../core/events.ts';
import type { Limits } from '../../settings/server-settings.ts';
import { clientAddress } from '../client-address.ts';
import type { Shared } from '../shared.ts';

/** Enrolments cost: a look into the store, a signature to verify. Here, before all of that, one address gets so many in a minute. */
export function limitRate({
  limits,
  shared,
  log,
}: {
  limits: () => Limits;
  shared: Pick<Shared, 'takeEnrollment'>;
  log: Log;
}): Middleware {
  return async function limitRate(ctx, next) {
    const address = clientAddress.take(ctx);
    const { wait, first } = await shared.takeEnrollment(address, limits().enroll_rate);
    if (wait > 0) {
      // One line for all that follows, or whoever tries would fill the log.
      if (first) log.event('enroll.limited', { remote: address, rate: limits().enroll_rate });
      ctx.set('Retry-After', String(Math.ceil(wait / 1000)));
      throw new Refusal('too-many-requests', 'cannot take more enrolments from this address now; come again');
    }
    await next();
  };
}
