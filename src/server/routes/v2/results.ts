import type { Middleware } from 'koa';
import { type ResultsAnswer, type ResultsRequest, resultsRequest } from '../../../wire/v2/order-messages.ts';
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
import { takeReceipts } from '../../orders/take-receipts.ts';
import { takeReports } from '../../orders/take-reports.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const kept = slot<Pick<ResultsAnswer, 'taken' | 'receipts'>>('kept results');
const message = slot<ResultsRequest>('results');

export function results(deps: RouteDeps): Middleware[] {
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
    decode(deps, resultsRequest, message),
    spendForOrders(deps, 'results'),
    noteDeprecatedPort(deps),
    keepResults(deps),
    replyTaken(deps),
  ];
}

function keepResults(deps: RouteDeps): Middleware {
  return async function keepResults(ctx, next) {
    const host = speaker.take(ctx);
    const results = message.take(ctx);
    const taken = await takeReports(deps, host, results.reports);
    kept.put(ctx, { taken, receipts: await takeReceipts(deps, host, results) });
    await next();
  };
}

function replyTaken({ watch, clock }: RouteDeps): Middleware {
  return async function replyTaken(ctx) {
    const content: ResultsAnswer = {
      status: 'ok',
      ...kept.take(ctx),
      epoch: watch.requireEpoch(),
      time: clock.now().toISOString(),
    };
    reply.put(ctx, content);
  };
}
