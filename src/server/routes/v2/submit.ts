import type { Middleware } from 'koa';
import { type SubmitAnswer, type SubmitRequest, submitRequest } from '../../../wire/v2/messages.ts';
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
import { type Settled, settleSubmission } from '../../submission/settle-submission.ts';

const message = slot<SubmitRequest>('submission');
const outcome = slot<Settled>('settled submission');

export function submit(deps: RouteDeps): Middleware[] {
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
    decode(deps, submitRequest, message),
    storeReport(deps),
    noteDeprecatedPort(deps),
    replyAcknowledged(deps),
  ];
}

function storeReport(deps: RouteDeps): Middleware {
  return async function storeReport(ctx, next) {
    const { keyId, sequence } = request.take(ctx);
    deps.log.event('submit.accepted', { host: hostname.peek(ctx), sequence });
    const settled = await settleSubmission(deps, {
      speaker: { key_id: keyId, sequence },
      request: message.take(ctx),
      epoch: deps.watch.requireEpoch(),
    });
    hostname.put(ctx, settled.hostname);
    deps.log.event(settled.as, { host: settled.hostname, ms: elapsed(ctx) });
    outcome.put(ctx, settled);
    await next();
  };
}

/** The last step: whatever went on from here would come to what says that no route wanted the request. */
function replyAcknowledged({ clock, queued }: RouteDeps): Middleware {
  return async function replyAcknowledged(ctx) {
    const { acknowledgement, epoch, hostname } = outcome.take(ctx);
    const { submission, chain } = acknowledgement;
    const content: SubmitAnswer = {
      status: 'ok',
      submission,
      chain,
      ...(queued.has(hostname) && { orders: true as const }),
      epoch,
      time: clock.now().toISOString(),
    };
    reply.put(ctx, content);
  };
}
