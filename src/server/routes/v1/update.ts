import type { Middleware } from 'koa';
import { type UpdateRequest, updateRequest } from '../../../wire/v1/messages.ts';
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

const message = slot<UpdateRequest>('update request');

export function update(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    needV1(deps),
    needStore(deps),
    limitBody(deps, 'bad-request'),
    needStore(deps),
    readForm,
    verifySignature(deps),
    decode(deps, updateRequest, message),
    refuseDowngrade(deps),
    refuseReplay(deps),
    noteDeprecatedPort(deps),
    replyPatches(deps),
  ];
}

/** There are no releases for original clients yet: `current`, with the patches that this host still lacks. */
function replyPatches({ store, log }: RouteDeps): Middleware {
  return async function replyPatches(ctx) {
    const { hostname, old_release } = message.take(ctx);
    const patches = await store.patches.pendingFor(hostname);
    log.event('update.answered', { host: hostname, release: old_release, patches: patches.length, ms: elapsed(ctx) });
    const pending = patches.map(({ id, files }) => ({ id, files }));
    reply.put(ctx, { status: 'current', ...(pending.length === 0 ? {} : { patches: pending }) });
  };
}
