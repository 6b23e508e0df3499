import type { Middleware } from 'koa';
import type { StoreWatch } from '../store-watch.ts';

/**
 * While the store cannot be used every endpoint answers 503: before it reads anything, and once more when the body is there.
 * A body may take its time, and a restore may have begun meanwhile.
 */
export function needStore({ watch }: { watch: StoreWatch }): Middleware {
  return async function needStore(_ctx, next) {
    watch.requireEpoch();
    await next();
  };
}
