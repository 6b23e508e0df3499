import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock, Random } from '../core/world.ts';

export const systemClock: Clock = { now: () => new Date() };

/** As uuid does it: the kernel's and OpenSSL's share of a call is the same for a few bytes and for many. */
const pool = Buffer.alloc(4096);
let used = pool.length;

/** @returns bytes that nobody else gets, and that stay in no pool */
function randomBytes(count: number): Uint8Array {
  if (count > pool.length) return randomFillSync(new Uint8Array(count));
  if (used + count > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = Uint8Array.from(pool.subarray(used, used + count));
  pool.fill(0, used, used + count);
  used += count;
  return bytes;
}

export const systemRandom: Random = { uuid: () => v7(), bytes: randomBytes };

/** Set by packaging/build.mjs from package.json. */
declare const __VERSION__: string;
export const VERSION = __VERSION__;
