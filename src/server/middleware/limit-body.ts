import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import { Refusal } from '../../core/errors.ts';
import type { Limits } from '../../settings/server-settings.ts';
import { clientAddress } from '../client-address.ts';
import type { Budget, SharedBudget } from '../limiter.ts';
import { ClientGone } from '../refuse.ts';
import { slot } from '../slot.ts';
import { subscriberOf } from '../subscriber.ts';

/** The body as sent, before any decompression. */
export const rawBody = slot<Buffer>('body');

/** How much of the budget this request has beside its body; given back when it is answered. */
const share = slot<{ bytes: number }>('share of the budget');

/** Takes so much more of the budget for this request. @throws Refusal where that is not left */
export function holdMore(ctx: Context, bytes: number, budget: Budget): void {
  if (!budget.take(bytes)) throw tooMuchAtOnce();
  share.take(ctx).bytes += bytes;
}

function tooMuchAtOnce(): Refusal {
  return new Refusal('unavailable', 'cannot take more requests at once; come again');
}

/**
 * Reads the body up to `limits.body`, and all bodies together up to the budget; those of one client up to its part of that:
 * nothing is verified yet, and who sends slowly on many connections would hold all of it.
 * @param code what a larger one gets: a v1 client sets its file aside at 400 only
 */
export function limitBody(
  { limits, budget }: { limits: () => Limits; budget: SharedBudget },
  code: 'too-large' | 'bad-request',
): Middleware {
  return async function limitBody(ctx, next) {
    const part = budget.of(subscriberOf(clientAddress.take(ctx)));
    const held = { bytes: 0 };
    const more = { bytes: 0 };
    share.put(ctx, more);
    try {
      rawBody.put(ctx, await readBody(ctx.req, { limit: limits().body, code, budget: part, held }));
      await next();
    } finally {
      part.give(held.bytes);
      budget.give(more.bytes);
    }
  };
}

function readBody(
  request: IncomingMessage,
  {
    limit,
    code,
    budget,
    held,
  }: { limit: number; code: 'too-large' | 'bad-request'; budget: Budget; held: { bytes: number } },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    // What still comes is read and dropped (the request's time-out bounds it): a client that cannot finish sending would never read why.
    const refuse = (refusal: Refusal): void => {
      request.off('data', take);
      // The budget gets these bytes back now, not when the request ends: so they must not stay until then.
      chunks.length = 0;
      request.resume();
      reject(refusal);
    };
    const take = (chunk: Buffer): void => {
      if (held.bytes + chunk.length > limit) {
        refuse(new Refusal(code, `cannot take a body of more than ${limit} bytes`));
      } else if (!budget.take(chunk.length)) {
        refuse(tooMuchAtOnce());
      } else {
        held.bytes += chunk.length;
        chunks.push(chunk);
      }
    };
    request.on('error', (cause) => reject(new ClientGone('the connection broke', { cause })));
    const gone = (): void => reject(new ClientGone('the connection ended'));
    request.on('close', gone);
    request.on('end', () => {
      request.off('close', gone);
      resolve(Buffer.concat(chunks));
    });
    if (Number(request.headers['content-length'] ?? 0) > limit) {
      refuse(new Refusal(code, `cannot take a body of more than ${limit} bytes`));
    } else {
      request.on('data', take);
    }
  });
}
