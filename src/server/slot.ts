import type { Context } from 'koa';

/** A typed place on a request: one middleware puts a value there, later ones take it. */
export interface Slot<T> {
  put(ctx: Context, value: T): void;
  /** @throws where no middleware before this one has put it: the route's list is wrong */
  take(ctx: Context): T;
  peek(ctx: Context): T | undefined;
}

/** Told apart from an empty place though the value is undefined. */
interface Held<T> {
  value: T;
}

let places = 0;

/** On koa's `state`, each under a key of its own: every step asks, and a WeakMap costs many times as much. */
export function slot<T>(name: string): Slot<T> {
  places++;
  const key = `${places} ${name}`;
  return {
    put: (ctx, value) => {
      ctx.state[key] = { value } satisfies Held<T>;
    },
    take: (ctx) => {
      const held: Held<T> | undefined = ctx.state[key];
      if (held === undefined) throw new TypeError(`nothing has put the ${name} of this request`);
      return held.value;
    },
    peek: (ctx) => {
      const held: Held<T> | undefined = ctx.state[key];
      return held?.value;
    },
  };
}
