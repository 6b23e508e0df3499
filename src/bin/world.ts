import { randomBytes } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock, Random } from '../core/world.ts';

export const systemClock: Clock = { now: () => new Date() };

export const systemRandom: Random = { uuid: () => v7(), bytes: (count) => randomBytes(count) };

/** Set by packaging/build.mjs from package.json. */
declare const __VERSION__: string;
export const VERSION = __VERSION__;
