import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import { keyIdOf } from '../../../crypto/ed25519.ts';
import { importPublicKey } from '../../../crypto/ed25519-sodium.ts';
import { verifyRequest } from '../../../crypto/http-signature.ts';
import { type EnrollAnswer, type EnrollRequest, enrollRequest } from '../../../wire/v2/messages.ts';
import { clientAddress } from '../../client-address.ts';
import { enrollKey } from '../../enrollment/enroll-key.ts';
import { limitBody } from '../../middleware/limit-body.ts';
import { limitRate } from '../../middleware/limit-rate.ts';
import { needStore } from '../../middleware/need-store.ts';
import { answer, reply } from '../../middleware/v2/answer.ts';
import { checkClock } from '../../middleware/v2/check-clock.ts';
import { checkDigest } from '../../middleware/v2/check-digest.ts';
import { checkSequence } from '../../middleware/v2/check-sequence.ts';
import { checkContentType, readMessage } from '../../middleware/v2/decode.ts';
import { readSignature, request } from '../../middleware/v2/read-signature.ts';
import { hostname } from '../../refuse.ts';
import type { RouteDeps } from '../../route-deps.ts';
import { slot } from '../../slot.ts';

const message = slot<EnrollRequest>('enrolment');

/** Unlike elsewhere the body is decoded before the signature is verified: the key is in it. Its limits come first all the same. */
export function enroll(deps: RouteDeps): Middleware[] {
  return [
    answer(deps),
    limitRate(deps),
    needStore(deps),
    limitBody(deps, 'too-large'),
    needStore(deps),
    checkContentType,
    readSignature,
    checkDigest,
    checkClock(deps),
    decodeEnrolment(deps),
    verifyOwnKey,
    checkSequence(deps),
    enrolOrRepeat(deps),
  ];
}

function decodeEnrolment(deps: RouteDeps): Middleware {
  return async function decodeEnrolment(ctx, next) {
    message.put(ctx, await readMessage(ctx, enrollRequest, deps));
    await next();
  };
}

const verifyOwnKey: Middleware = async function verifyOwnKey(ctx, next) {
  const { keyId, parts, presented } = request.take(ctx);
  const { public_key } = message.take(ctx);
  if (keyIdOf(public_key) !== keyId)
    throw new Refusal('bad-signature', 'cannot enrol a key by the signature of another');
  if (!verifyRequest(importPublicKey(public_key), parts, presented)) {
    throw new Refusal('bad-signature', 'cannot verify the signature');
  }
  // The name is only claimed until the token is accepted; the log may say who claims it.
  hostname.put(ctx, message.take(ctx).hostname);
  await next();
};

function enrolOrRepeat(deps: RouteDeps): Middleware {
  return async function enrolOrRepeat(ctx) {
    const { keyId, sequence } = request.take(ctx);
    const address = clientAddress.take(ctx);
    const { status, hostId } = await enrollKey(deps, { keyId, sequence, address, request: message.take(ctx) });
    const content: EnrollAnswer = {
      status,
      host_id: hostId,
      epoch: deps.watch.requireEpoch(),
      time: deps.clock.now().toISOString(),
    };
    reply.put(ctx, content);
  };
}
