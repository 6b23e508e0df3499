import type { Context, Middleware } from 'koa';
import type { Log } from '../../../core/events.ts';
import type { Clock } from '../../../core/world.ts';
import type { AnswerKeys } from '../../../crypto/answer-keys.ts';
import { type SignatureHeaders, signAnswer } from '../../../crypto/http-signature.ts';
import { contentDigest } from '../../../wire/v2/digest.ts';
import { ANSWER_KEY_HEADER, type AnswerParts, LABEL, olderLabel } from '../../../wire/v2/http-signature.ts';
import { refusalOf } from '../../refuse.ts';
import { slot } from '../../slot.ts';
import { request as presentedRequest, readPresented } from './read-signature.ts';

/** What the endpoint answers, as JSON. */
export const reply = slot<object>('reply');

interface Signing {
  answerKeys: () => AnswerKeys;
  clock: Clock;
}

/** Turns what the route replied, or why it refused, into JSON; signs it wherever the request carried a signature that it can be bound to. */
export function answer({ answerKeys, clock, log }: Signing & { log: Log }): Middleware {
  return async function answer(ctx, next) {
    try {
      await next();
      send(ctx, 200, reply.take(ctx), { answerKeys, clock });
    } catch (error) {
      const refusal = refusalOf(ctx, error, log);
      if (refusal === undefined) {
        ctx.respond = false;
        return;
      }
      const { code, status, message, extra } = refusal;
      const body = { error: code, reason: message, time: clock.now().toISOString(), ...extra };
      send(ctx, status, body, { answerKeys, clock });
    }
  };
}

function send(ctx: Context, status: number, content: object, signing: Signing): void {
  // A text goes out in one piece with its headers, bytes in two.
  const body = JSON.stringify(content);
  const digest = contentDigest(body);
  ctx.status = status;
  // Not ctx.type, which adds a charset: JSON has but one.
  ctx.set('Content-Type', 'application/json');
  ctx.body = body;
  ctx.set('Content-Digest', digest);
  // HTTP/1.1 keeps connections anyway; an agent asks once a minute, and pays for each header.
  if (ctx.res.shouldKeepAlive && ctx.req.httpVersion === '1.1') ctx.remove('Connection');
  const request = presentedRequest.peek(ctx) ?? readPresented(ctx);
  if (request === undefined) return;
  const { path, contentDigest: requestDigest, sequence } = request.parts;
  const signed = sign(signing, ctx.get(ANSWER_KEY_HEADER), {
    status,
    contentDigest: digest,
    request: { path, contentDigest: requestDigest, sequence, signature: request.presented.signature },
  });
  ctx.set('Signature-Input', signed.map((each) => each['signature-input']).join(', '));
  ctx.set('Signature', signed.map((each) => each.signature).join(', '));
}

/**
 * By the newest key and, until their overlaps end, by those before it: for agents that do not know it yet.
 * @param known number of the newest key that the agent knows; empty where it does not say
 */
function sign({ answerKeys, clock }: Signing, known: string, parts: AnswerParts): SignatureHeaders[] {
  const now = clock.now();
  const { newest, older } = answerKeys();
  const keys = [
    { key: newest.key, label: LABEL },
    ...older
      .filter(({ number, until }) => now < until && (known === '' || known === String(number)))
      .map(({ key, number }) => ({ key, label: olderLabel(number) })),
  ];
  const created = Math.floor(now.getTime() / 1000);
  return keys.map(({ key, label }) => signAnswer(key, parts, { created }, label));
}
