import type { Context, Middleware } from 'koa';
import { arrivalOf } from '../arrival.ts';
import type { StoreWatch } from '../store-watch.ts';

/** For supervisors on this machine: the local port alone answers. Not logged, for they ask every few seconds. */
export function healthz(): Middleware[] {
  return [onlyLocal, sayAlive];
}

export function readyz({ watch }: { watch: StoreWatch }): Middleware[] {
  return [onlyLocal, sayReady(watch)];
}

/** Elsewhere it is as if the path were not there. */
async function onlyLocal(ctx: Context, next: () => Promise<void>): Promise<void> {
  if (arrivalOf(ctx.req).local) {
    await next();
  } else {
    ctx.status = 404;
    ctx.body = 'cannot find that here\n';
  }
}

/** The event loop turns, or nobody would say this. */
const sayAlive: Middleware = async function sayAlive(ctx) {
  ctx.body = { status: 'ok' };
};

function sayReady(watch: StoreWatch): Middleware {
  return async function sayReady(ctx) {
    const { state } = watch.health();
    ctx.status = state === 'up' ? 200 : 503;
    ctx.body = { status: state === 'up' ? 'ok' : 'unavailable', store: state };
  };
}
