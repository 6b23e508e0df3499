import type { Context } from 'koa';

/** A typed place on a request: one middleware puts a value there, later ones take it. */
export interface Slot<T> {
  put(ctx: Context, value: T): void;
  /** @throws where no middleware before this one has put it: the route's list is wrong */
  take(ctx: Context): T;
  peek(ctx: Context): T | undefined;
}

export function slot<T>(name: string): Slot<T> {
  const values = new WeakMap<object, { value: T }>();
  return {
    put: (ctx, value) => {
      values.set(ctx.req, { value });
    },
    take: (ctx) => {
      const held = values.get(ctx.req);
      if (held === undefined) throw new TypeError(`nothing has put the ${name} of this request`);
      return held.value;
    },
    peek: (ctx) => values.get(ctx.req)?.value,
  };
}
