import type { Middleware } from 'koa';
import type { StoreWatch } from '../store-watch.ts';

/** While the store cannot be used every endpoint answers 503, before it reads anything. */
export function needStore({ watch }: { watch: StoreWatch }): Middleware {
  return async function needStore(_ctx, next) {
    watch.requireEpoch();
    await next();
  };
}
