import type { Limits } from '../settings/server-settings.ts';
import { type DeprecatedPorts, trackDeprecatedPorts } from './deprecated-ports.ts';
import type { ServerDeps } from './deps.ts';
import { createKeyring, type Keyring } from './keyring.ts';
import { type Budget, createBudget, createTurnstile, type Turnstile } from './limiter.ts';

/** ServerDeps and what all routes share; each route's step names what it takes of it. */
export interface RouteDeps extends ServerDeps {
  limits: () => Limits;
  keyring: Keyring;
  ports: DeprecatedPorts;
  budget: Budget;
  inflating: Turnstile;
}

/** Of all bodies that are held at once. */
const BODIES_AT_ONCE = 256 * 1024 * 1024;
/** Bodies that are inflated and parsed at once. */
const INFLATED_AT_ONCE = 4;

export function routeDeps(deps: ServerDeps): RouteDeps {
  return {
    ...deps,
    limits: () => deps.settings().limits,
    keyring: createKeyring(deps.store),
    ports: trackDeprecatedPorts(deps),
    budget: createBudget(BODIES_AT_ONCE),
    inflating: createTurnstile(INFLATED_AT_ONCE),
  };
}
