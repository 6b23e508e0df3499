import type { Middleware } from 'koa';
import type { Log } from '../../../core/events.ts';
import { refusalOf } from '../../refuse.ts';
import { slot } from '../../slot.ts';

/** What the endpoint answers: text, or an object as JSON. One that puts nothing here has answered by itself. */
export const reply = slot<string | object>('reply');

/** The original client looks at the status, and at the text of an answer that it likes; a refusal is text for whoever reads its log. */
export function answer({ log }: { log: Log }): Middleware {
  return async function answer(ctx, next) {
    try {
      await next();
      const text = reply.peek(ctx);
      if (text === undefined) return;
      ctx.status = 200;
      ctx.body = text;
    } catch (error) {
      const refusal = refusalOf(ctx, error, log);
      if (refusal === undefined) {
        ctx.respond = false;
        return;
      }
      ctx.status = refusal.status;
      ctx.type = 'text/plain; charset=utf-8';
      ctx.body = `${refusal.message}\n`;
    }
  };
}
