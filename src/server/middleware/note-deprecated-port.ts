import type { Middleware } from 'koa';
import { arrivalOf } from '../arrival.ts';
import type { DeprecatedPorts } from '../deprecated-ports.ts';
import { hostname } from '../refuse.ts';

/** Comes after everything that could refuse the request: only what was accepted tells by which port a host comes. */
export function noteDeprecatedPort({ ports }: { ports: DeprecatedPorts }): Middleware {
  return async function noteDeprecatedPort(ctx, next) {
    await ports.note(hostname.take(ctx), arrivalOf(ctx.req));
    await next();
  };
}
