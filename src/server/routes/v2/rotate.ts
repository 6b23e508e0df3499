import type { Middleware } from 'koa';
import { type RotateAnswer, type RotateRequest, rotateRequest } from '../../../wire/v2/messages.ts';
import { clientAddress } from '../../client-address.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { answer, reply } from '../../middleware/v2/answer.ts';
import { checkClock } from '../../middleware/v2/check-clock.ts';
import { checkDigest } from '../../middleware/v2/check-digest.ts';
import { checkSequence } from '../../middleware/v2/check-sequence.ts';
import { checkContentType, decode } from '../../middleware/v2/decode.ts';
import { readSignature, request } from '../../middleware/v2/read-signature.ts';
import { verifySignature } from '../../middleware/v2/verify-signature.ts';
import { hostname } from '../../refuse.ts';
import { rotateKey } from '../../rotation/rotate-key.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const message = slot<RotateRequest>('rotation');

export function rotate(deps: RouteDeps): Middleware[] {
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
    decode(deps, rotateRequest, message),
    addKey(deps),
  ];
}

function addKey(deps: RouteDeps): Middleware {
  return async function addKey(ctx) {
    const { keyId, sequence } = request.take(ctx);
    const rotated = await rotateKey(deps, {
      speaker: { key_id: keyId, sequence },
      address: clientAddress.take(ctx),
      request: message.take(ctx),
    });
    hostname.put(ctx, rotated.hostname);
    const { host_id, key_id, old_key_ends_at } = rotated;
    const content: RotateAnswer = {
      status: 'rotated',
      host_id,
      key_id,
      old_key_ends_at: old_key_ends_at.toISOString(),
      epoch: deps.watch.requireEpoch(),
      time: deps.clock.now().toISOString(),
    };
    reply.put(ctx, content);
  };
}
