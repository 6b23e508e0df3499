import type { Middleware } from 'koa';
import { type UpdateAnswer, type UpdateRequest, updateRequest } from '../../../wire/v2/order-messages.ts';
import { clientAddress } from '../../client-address.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { noteDeprecatedPort } from '../../middleware/note-deprecated-port.ts';
import { answer, reply } from '../../middleware/v2/answer.ts';
import { checkClock } from '../../middleware/v2/check-clock.ts';
import { checkDigest } from '../../middleware/v2/check-digest.ts';
import { checkSequence } from '../../middleware/v2/check-sequence.ts';
import { checkContentType, decode } from '../../middleware/v2/decode.ts';
import { readSignature, request } from '../../middleware/v2/read-signature.ts';
import { verifySignature } from '../../middleware/v2/verify-signature.ts';
import { elapsed, hostname } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';
import { spendSequence } from '../../spend-sequence.ts';

const message = slot<UpdateRequest>('update request');

export function update(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needStore(deps),
    limitBody(deps, 'too-large'),
    needStore(deps),
    checkContentType,
    readSignature,
    checkDigest,
    checkClock(deps),
    verifySignature(deps),
    checkSequence(deps),
    decode(deps, updateRequest, message),
    useSequence(deps),
    noteDeprecatedPort(deps),
    replyCurrent(deps),
  ];
}

/** Also a lost host's: what it is to do, it may fetch. */
function useSequence({ store, clock, log }: RouteDeps): Middleware {
  return async function useSequence(ctx, next) {
    const { keyId, sequence } = request.take(ctx);
    const host = await spendSequence({ store, clock }, { key_id: keyId, sequence });
    hostname.put(ctx, host.hostname);
    if (host.identity.lost_at !== undefined) {
      log.event('host.lost-seen', { host: host.hostname, remote: clientAddress.take(ctx), endpoint: 'update' });
    }
    await next();
  };
}

function replyCurrent({ watch, clock, log }: RouteDeps): Middleware {
  return async function replyCurrent(ctx) {
    log.event('update.answered', { host: hostname.take(ctx), release: message.take(ctx).release, ms: elapsed(ctx) });
    const content: UpdateAnswer = {
      status: 'current',
      epoch: watch.requireEpoch(),
      time: clock.now().toISOString(),
    };
    reply.put(ctx, content);
  };
}
