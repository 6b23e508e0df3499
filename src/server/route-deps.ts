import type { Limits } from '../settings/server-settings.ts';
import { type DeprecatedPorts, trackDeprecatedPorts } from './deprecated-ports.ts';
import type { ServerDeps } from './deps.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { createSharedBudget, createTurnstile, type SharedBudget, type Turnstile } from './limiter.ts';
import { createHashing } from './login/hashing.ts';
import { createOrderFiles, type OrderFiles } from './orders/find-file.ts';
import { type QueuedHosts, trackQueuedHosts } from './orders/queued-hosts.ts';

/** ServerDeps and what all routes share; each route's step names what it takes of it. */
export interface RouteDeps extends ServerDeps {
  limits: () => Limits;
  keyring: Keyring;
  ports: DeprecatedPorts;
  queued: QueuedHosts;
  orderFiles: OrderFiles;
  budget: SharedBudget;
  inflating: Turnstile;
  /** of passwords */
  hashing: Turnstile;
}

/** Of all bodies that are held at once, by all workers. */
const BODIES_AT_ONCE = 256 * 1024 * 1024;
/** One client's part of them, as long as they are not inflated. */
const PART_OF_ONE = 1 / 4;
/** Bodies that are inflated and parsed at once, by all workers. */
const INFLATED_AT_ONCE = 4;

export function routeDeps(deps: ServerDeps): RouteDeps {
  const { workers } = deps.shared;
  const limits = () => deps.settings().limits;
  // However many workers: one body of the largest size that is allowed must fit.
  const bodies = () => Math.max(BODIES_AT_ONCE / workers, limits().body + limits().decompressed);
  const bodiesOfOne = () => Math.max(bodies() * PART_OF_ONE, limits().body);
  return {
    ...deps,
    limits,
    keyring: createKeyring(deps.store),
    ports: trackDeprecatedPorts(deps),
    queued: trackQueuedHosts(deps),
    orderFiles: createOrderFiles(deps),
    budget: createSharedBudget(bodies, bodiesOfOne),
    inflating: createTurnstile(Math.max(1, Math.floor(INFLATED_AT_ONCE / workers))),
    hashing: createHashing(workers),
  };
}
