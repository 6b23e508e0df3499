import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { type FilesAnswer, type FilesRequest, filesRequest, LARGEST_PIECE } from '../../../wire/v2/order-messages.ts';
import { holdMore, limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { noteDeprecatedPort } from '../../middleware/note-deprecated-port.ts';
import { answer, reply } from '../../middleware/v2/answer.ts';
import { checkClock } from '../../middleware/v2/check-clock.ts';
import { checkDigest } from '../../middleware/v2/check-digest.ts';
import { checkSequence } from '../../middleware/v2/check-sequence.ts';
import { checkContentType, decode } from '../../middleware/v2/decode.ts';
import { readSignature } from '../../middleware/v2/read-signature.ts';
import { speaker, spendForOrders } from '../../middleware/v2/spend-for-orders.ts';
import { verifySignature } from '../../middleware/v2/verify-signature.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const message = slot<FilesRequest>('files request');

export function files(deps: RouteDeps): Middleware[] {
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
    decode(deps, filesRequest, message),
    spendForOrders(deps, 'files'),
    noteDeprecatedPort(deps),
    replyPiece(deps),
  ];
}

/** Whose the order is not is told no more than whose there is no such order. */
function replyPiece({ store, watch, clock, log, orderFiles, budget }: RouteDeps): Middleware {
  return async function replyPiece(ctx) {
    const { hostname, identity } = speaker.take(ctx);
    const { order, sha256, offset } = message.take(ctx);
    const size = await orderFiles.find(identity.host_id, order, sha256);
    if (size !== undefined) holdMore(ctx, LARGEST_PIECE, budget);
    const content = size === undefined ? undefined : await store.orders.readFile(sha256, offset, LARGEST_PIECE);
    if (size === undefined || content === undefined) {
      throw new Refusal('not-found', 'cannot find such a file of an order that is open for this host', {
        detail: `order ${order}`,
      });
    }
    log.event('order.file-given', { host: hostname, order, offset, bytes: content.length, ms: elapsed(ctx) });
    const answered: FilesAnswer = {
      sha256,
      size,
      offset,
      content: Buffer.from(content).toString('base64'),
      epoch: watch.requireEpoch(),
      time: clock.now().toISOString(),
    };
    reply.put(ctx, answered);
  };
}
