import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { type AcknowledgePatchRequest, acknowledgePatchRequest } from '../../../wire/v1/messages.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { needStore } from '../../middleware/need-store.ts';
import { noteDeprecatedPort } from '../../middleware/note-deprecated-port.ts';
import { answer, reply } from '../../middleware/v1/answer.ts';
import { decode } from '../../middleware/v1/decode.ts';
import { needV1 } from '../../middleware/v1/need-v1.ts';
import { readForm } from '../../middleware/v1/read-form.ts';
import { refuseDowngrade } from '../../middleware/v1/refuse-downgrade.ts';
import { refuseReplay } from '../../middleware/v1/refuse-replay.ts';
import { verifySignature } from '../../middleware/v1/verify-signature.ts';
import { elapsed } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const message = slot<AcknowledgePatchRequest>('acknowledgement');

export function acknowledgePatch(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needV1(deps),
    needStore(deps),
    limitBody(deps, 'bad-request'),
    needStore(deps),
    readForm,
    verifySignature(deps),
    decode(deps, acknowledgePatchRequest, message),
    refuseDowngrade(deps),
    refuseReplay(deps),
    noteDeprecatedPort(deps),
    acknowledge(deps),
  ];
}

function acknowledge({ store, log }: RouteDeps): Middleware {
  return async function acknowledge(ctx) {
    const { hostname, id } = message.take(ctx);
    if (!(await store.patches.acknowledge(id, hostname))) {
      throw new Refusal('not-found', 'cannot find a patch of this id');
    }
    log.event('patch.acknowledged', { host: hostname, patch: id, ms: elapsed(ctx) });
    reply.put(ctx, 'ok');
  };
}
