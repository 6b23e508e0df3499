import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import type { SignedRotation } from '../../../wire/v2/answer-keys.ts';
import type { RouteDeps } from '../../route-deps.ts';

/** The rotations of the answer keys: public, the same for everybody, and each signed by itself, so that nothing is asked and no store is needed. */
export function keys(deps: RouteDeps): Middleware[] {
  return [sendChain(deps)];
}

/** A copy that lies between may lag so far behind: agents have the overlap to find out. */
const MAX_AGE_SECONDS = 60;

function sendChain({ answerKeys }: Pick<RouteDeps, 'answerKeys'>): Middleware {
  let made: { of: readonly SignedRotation[]; body: Buffer; etag: string } | undefined;
  return async function sendChain(ctx) {
    const { rotations } = answerKeys();
    if (made?.of !== rotations) {
      const body = Buffer.from(JSON.stringify({ rotations }));
      made = { of: rotations, body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
    }
    ctx.set('Cache-Control', `public, max-age=${MAX_AGE_SECONDS}`);
    ctx.set('ETag', made.etag);
    ctx.status = 200;
    if (ctx.fresh) {
      ctx.status = 304;
      return;
    }
    ctx.body = made.body;
    ctx.type = 'application/json';
  };
}
