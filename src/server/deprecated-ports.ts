import type { Log } from '../core/events.ts';
import type { Clock } from '../core/world.ts';
import type { Store } from '../store/port.ts';
import type { Arrival } from './arrival.ts';
import type { Shared } from './shared.ts';

const ISSUE = 'deprecated-port';

export interface DeprecatedPorts {
  /** Reads which hosts have the issue open: called at start, and now and then, for other servers open and close it too. */
  refresh(): Promise<void>;
  /** A verified request of this host came in by this port. */
  note(hostname: string, arrival: Arrival): Promise<void>;
}

/** Opens and closes the issue `deprecated-port`. Knows who has it open, so that the store is asked only where that changes. */
export function trackDeprecatedPorts({
  store,
  clock,
  log,
  shared,
}: {
  store: Pick<Store, 'issues'>;
  clock: Clock;
  log: Log;
  shared: Pick<Shared, 'deprecatedPorts'>;
}): DeprecatedPorts {
  let open = new Set<string>();
  shared.deprecatedPorts.onTold((hostname, now) => {
    if (now) open.add(hostname);
    else open.delete(hostname);
  });
  return {
    async refresh() {
      const found = new Set<string>();
      for await (const { hostname } of store.issues.listOpen({ names: [ISSUE] })) found.add(hostname);
      open = found;
    },
    async note(hostname, { deprecated, port }) {
      if (deprecated === open.has(hostname)) return;
      if (deprecated) {
        if (await store.issues.open(hostname, ISSUE, clock.now())) {
          log.event('issue.opened', { host: hostname, issue: ISSUE, port });
        }
        open.add(hostname);
        shared.deprecatedPorts.tell(hostname, true);
      } else {
        if (await store.issues.close(hostname, ISSUE, clock.now())) {
          log.event('issue.closed', { host: hostname, issue: ISSUE, port });
        }
        open.delete(hostname);
        shared.deprecatedPorts.tell(hostname, false);
      }
    },
  };
}
