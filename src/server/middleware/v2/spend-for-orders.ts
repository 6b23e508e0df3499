import type { Middleware } from 'koa';
import type { Host, Identity } from '../../../core/host.ts';
import { clientAddress } from '../../client-address.ts';
import { hostname } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';
import { spendSequence } from '../../spend-sequence.ts';
import { request } from './read-signature.ts';

/** The host that speaks, as it was when its sequence number was used up. */
export const speaker = slot<Host & { identity: Identity }>('host that speaks');

/** Uses up the sequence number, also of a lost host: what it is to do, it may fetch, and say that it did. */
export function spendForOrders({ store, clock, log }: RouteDeps, endpoint: 'update' | 'files' | 'results'): Middleware {
  return async function spendForOrders(ctx, next) {
    const { keyId, sequence } = request.take(ctx);
    const host = await spendSequence({ store, clock }, { key_id: keyId, sequence });
    hostname.put(ctx, host.hostname);
    speaker.put(ctx, host);
    if (host.identity.lost_at !== undefined) {
      log.event('host.lost-seen', { host: host.hostname, remote: clientAddress.take(ctx), endpoint });
    }
    await next();
  };
}
