import type { Context } from 'koa';
import { messageOf, Refusal, StoreUnavailable } from '../core/errors.ts';
import type { Log } from '../core/events.ts';
import { arrivalOf, remoteAddress } from './arrival.ts';
import { clientAddress } from './client-address.ts';
import { slot } from './slot.ts';

/** The connection is gone while its request was still coming in: there is nobody to answer, and the port has logged it. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** The host that the request speaks for, as far as it is known. */
export const hostname = slot<string>('host name');

export const startedAt = slot<number>('start time');

const RETRY_AFTER_SECONDS = 10;

/** What the caller gets for an error; undefined where there is nobody to answer. The log gets one line for each. */
export function refusalOf(ctx: Context, error: unknown, log: Log): Refusal | undefined {
  if (error instanceof ClientGone) return undefined;
  const refusal = toRefusal(error);
  const facts = {
    endpoint: `${ctx.method} ${ctx.path}`,
    host: hostname.peek(ctx),
    remote: clientAddress.peek(ctx) ?? remoteAddress(ctx.req.socket),
    port: arrivalOf(ctx.req).port,
    code: refusal.code,
    ms: elapsed(ctx),
  };
  if (refusal.code === 'internal') log.event('request.failed', { ...facts, reason: messageOf(error) });
  else if (refusal.code === 'lost') log.event('host.lost-seen', { ...facts, detail: refusal.detail });
  // Whoever limits tells it once.
  else if (refusal.code !== 'too-many-requests')
    log.event('request.refused', { ...facts, reason: refusal.message, detail: refusal.detail });
  if (refusal.code === 'unavailable') ctx.set('Retry-After', String(RETRY_AFTER_SECONDS));
  return refusal;
}

/** Milliseconds since the request's headers were there. */
export function elapsed(ctx: Context): number {
  return Math.round(performance.now() - (startedAt.peek(ctx) ?? performance.now()));
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof StoreUnavailable) {
    return new Refusal('unavailable', 'cannot answer now: the store is not reachable; come again', {
      detail: error.message,
      cause: error,
    });
  }
  return new Refusal('internal', 'cannot answer: the server failed; its log says more', { cause: error });
}
