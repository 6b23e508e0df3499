import type { Middleware } from 'koa';
import { Refusal } from '../../../core/errors.ts';
import type { Log } from '../../../core/events.ts';
import type { Host } from '../../../core/host.ts';
import type { Clock } from '../../../core/world.ts';
import type { Store } from '../../../store/port.ts';
import { hostname } from '../../refuse.ts';
import { slot } from '../../slot.ts';

/** The host as stored; undefined where it is new. */
export const storedHost = slot<Host | undefined>('stored host');

interface Deps {
  store: Store;
  clock: Clock;
  log: Log;
}

/** A host that was approved on v2 is never again believed on v1, forgotten or not: any machine of the old fleet can sign for it there. */
export function refuseDowngrade(deps: Deps): Middleware {
  return async function refuseDowngrade(ctx, next) {
    const name = hostname.take(ctx);
    const { hosts, enrollments } = deps.store;
    const [host, approved] = await Promise.all([hosts.find(name), enrollments.everApproved(name)]);
    if (host?.identity !== undefined || approved) {
      throw await downgraded(deps, name);
    }
    storedHost.put(ctx, host);
    await next();
  };
}

/** Opens the issue, of the host by the name that it has itself, and says what to throw. */
export async function downgraded({ store, clock, log }: Deps, name: string): Promise<Refusal> {
  const [holder] = await store.hosts.namesakes(name);
  const host = holder?.host_id === undefined ? name : holder.hostname;
  if (await store.issues.open(host, 'downgraded-identity', clock.now())) {
    log.event('issue.opened', { host, issue: 'downgraded-identity' });
  }
  return new Refusal('downgraded-identity', 'cannot take this from a host that has enrolled by protocol v2');
}
