import type { Milliseconds } from '../core/duration.ts';
import { subscriberOf } from './subscriber.ts';

export interface RateLimiter {
  /** Takes one token out of the bucket of this address. */
  take(address: string, rate: number, now: Date): Taken;
}

export interface Taken {
  /** until there is one again; 0: it was taken */
  wait: Milliseconds;
  /** whether it is the first lack since the bucket was full */
  first: boolean;
}

interface Bucket {
  tokens: number;
  at: Milliseconds;
  told: boolean;
}

/** More addresses than these are not remembered: the longest unseen is forgotten. */
const MOST = 20_000;

/** A bucket of `rate` tokens for each address, or /64 of IPv6 (what one subscriber has), which fills up again in one `interval`. */
export function createRateLimiter(interval: Milliseconds, most = MOST): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(address, rate, date) {
      const now = date.getTime();
      const key = subscriberOf(address);
      const bucket = buckets.get(key) ?? { tokens: rate, at: now, told: false };
      // A clock that was set back gives nothing, and takes nothing.
      const gained = (Math.max(0, now - bucket.at) / interval) * rate;
      const tokens = Math.min(rate, bucket.tokens + gained);
      const enough = tokens >= 1;
      buckets.delete(key);
      const told = tokens < rate && bucket.told;
      buckets.set(key, { tokens: enough ? tokens - 1 : tokens, at: now, told: told || !enough });
      const [oldest] = buckets.keys();
      if (buckets.size > most && oldest !== undefined) buckets.delete(oldest);
      return enough
        ? { wait: 0, first: false }
        : { wait: Math.max(1, Math.round(((1 - tokens) / rate) * interval)), first: !told };
    },
  };
}
