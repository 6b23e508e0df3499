import type { Middleware } from 'koa';
import { minutes } from '../../../core/duration.ts';
import { Refusal } from '../../../core/errors.ts';
import type { Clock } from '../../../core/world.ts';
import { request } from './read-signature.ts';

/** How far a host's clock may be off, and a sequence number ahead. */
export const CLOCK_SKEW = minutes(5);

export function checkClock({ clock }: { clock: Clock }): Middleware {
  return async function checkClock(ctx, next) {
    const { created } = request.take(ctx).presented.parameters;
    const off = created * 1000 - clock.now().getTime();
    if (Math.abs(off) > CLOCK_SKEW) {
      throw new Refusal('clock-skew', "cannot take a request made more than 5 minutes off this server's clock", {
        detail: `the host's clock is ${Math.round(off / 1000)} s ${off > 0 ? 'ahead' : 'behind'}`,
      });
    }
    await next();
  };
}
