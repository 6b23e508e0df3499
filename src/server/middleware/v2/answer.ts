import type { Context, Middleware } from 'koa';
import type { Log } from '../../../core/events.ts';
import type { Clock } from '../../../core/world.ts';
import type { SigningKey } from '../../../crypto/ed25519.ts';
import { signAnswer } from '../../../crypto/http-signature.ts';
import { contentDigest } from '../../../wire/v2/digest.ts';
import { refusalOf } from '../../refuse.ts';
import { slot } from '../../slot.ts';
import { readPresented } from './read-signature.ts';

/** What the endpoint answers, as JSON. */
export const reply = slot<object>('reply');

/** Turns what the route replied, or why it refused, into JSON; signs it wherever the request carried a signature that it can be bound to. */
export function answer({ answerKey, clock, log }: { answerKey: SigningKey; clock: Clock; log: Log }): Middleware {
  return async function answer(ctx, next) {
    try {
      await next();
      send(ctx, 200, reply.take(ctx), { answerKey, clock });
    } catch (error) {
      const refusal = refusalOf(ctx, error, log);
      if (refusal === undefined) {
        ctx.respond = false;
        return;
      }
      const { code, status, message, extra } = refusal;
      const body = { error: code, reason: message, time: clock.now().toISOString(), ...extra };
      send(ctx, status, body, { answerKey, clock });
    }
  };
}

function send(
  ctx: Context,
  status: number,
  content: object,
  { answerKey, clock }: { answerKey: SigningKey; clock: Clock },
): void {
  const body = Buffer.from(JSON.stringify(content));
  const digest = contentDigest(body);
  ctx.status = status;
  ctx.body = body;
  ctx.type = 'application/json';
  ctx.set('Content-Digest', digest);
  const request = readPresented(ctx);
  if (request === undefined) return;
  const { path, contentDigest: requestDigest, sequence } = request.parts;
  const signed = signAnswer(
    answerKey,
    {
      status,
      contentDigest: digest,
      request: { path, contentDigest: requestDigest, sequence, signature: request.presented.signature },
    },
    { created: Math.floor(clock.now().getTime() / 1000) },
  );
  ctx.set('Signature-Input', signed['signature-input']);
  ctx.set('Signature', signed.signature);
}
