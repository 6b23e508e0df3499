import type { Middleware } from 'koa';
import { type UpdateAnswer, type UpdateRequest, updateRequest } from '../../../wire/v2/order-messages.ts';
import { limitBody } from '../../middleware/limit-body.ts';
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
import { type Composed, composeUpdate } from '../../orders/compose-update.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const composed = slot<Composed>('composed update');
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
    spendForOrders(deps, 'update'),
    noteDeprecatedPort(deps),
    giveOrders(deps),
    replyOrders(deps),
  ];
}

function giveOrders(deps: RouteDeps): Middleware {
  return async function giveOrders(ctx, next) {
    const host = speaker.take(ctx);
    const found = await composeUpdate(deps, host, message.take(ctx));
    for (const order of found.ids) deps.log.event('order.given', { host: host.hostname, order });
    composed.put(ctx, found);
    await next();
  };
}

function replyOrders({ watch, clock, log, firstOrderKey }: RouteDeps): Middleware {
  return async function replyOrders(ctx) {
    const { ids, ...found } = composed.take(ctx);
    const { release, order_key } = message.take(ctx);
    const first = order_key === 0 ? firstOrderKey() : undefined;
    const content: UpdateAnswer = {
      status: ids.length > 0 || found.more === true ? 'orders' : 'current',
      ...found,
      ...(first !== undefined && { first_order_key: first }),
      epoch: watch.requireEpoch(),
      time: clock.now().toISOString(),
    };
    const { hostname } = speaker.take(ctx);
    log.event('update.answered', { host: hostname, release, orders: ids.length, ms: elapsed(ctx) });
    reply.put(ctx, content);
  };
}
