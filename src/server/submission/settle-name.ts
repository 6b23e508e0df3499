import type { Log } from '../../core/events.ts';
import { type Host, type Identity, isSameName } from '../../core/host.ts';
import { fitsPattern } from '../../core/name-pattern.ts';
import type { Clock } from '../../core/world.ts';
import type { IdentityLog } from '../../store/identity-log.ts';
import type { Store } from '../../store/port.ts';

export interface NameDeps {
  store: Store;
  identities: Pick<IdentityLog, 'append'>;
  clock: Clock;
  log: Log;
}

type Known = Host & { identity: Identity };

const ISSUE = 'duplicate-hostname';

/**
 * A host that reports another name gets it, unless that is somebody else's, or outside its token's pattern:
 * then it keeps its own, and has the issue until it reports that again. Its own name in another case is its own.
 * @returns whether the host is still as it was read
 */
export async function settleName(deps: NameDeps, host: Known, reported: string): Promise<boolean> {
  const { hostname, identity } = host;
  if (reported === hostname) return identity.claimed_hostname === undefined || giveUpClaim(deps, host);
  const { pattern } = identity;
  if (pattern !== undefined && !isSameName(reported, hostname) && !fitsPattern(reported, pattern)) {
    return refuse(deps, host, reported, `the name is not one of ${pattern}`);
  }
  const { store, clock } = deps;
  const at = clock.now();
  const outcome = await store.hosts.rename({ id: identity.host_id, from: hostname, to: reported }, at);
  if (outcome === 'taken') return refuse(deps, host, reported, "the name is, or was, another host's");
  if (outcome === 'renamed') await tell(deps, host, reported, at);
  return false;
}

async function tell({ store, identities, log }: NameDeps, host: Known, to: string, at: Date): Promise<void> {
  const { hostname, identity } = host;
  log.event('host.renamed', { host: to, was: hostname });
  const { host_id } = identity;
  const key = identity.keys.findLast(({ revoked_at }) => revoked_at === undefined);
  if (key !== undefined) {
    await identities.append({ event: 'renamed', key_id: key.id, host_id, hostname: to, at, why: `was ${hostname}` });
  }
  // It moved along with the host. Who waits for the former name contests nothing any more.
  const contested = isSameName(to, hostname) && (await isContested(store, to));
  if (!contested && (await store.issues.close(to, ISSUE, at))) log.event('issue.closed', { host: to, issue: ISSUE });
}

async function refuse({ store, clock, log }: NameDeps, host: Known, claimed: string, detail: string): Promise<boolean> {
  const { hostname, identity } = host;
  if (identity.claimed_hostname === claimed) return true;
  // The issue first: what is cut short here is done again at the next report.
  if (await store.issues.open(hostname, ISSUE, clock.now()))
    log.event('issue.opened', { host: hostname, issue: ISSUE });
  log.event('host.not-renamed', { host: hostname, wanted: claimed, detail });
  await store.hosts.claim({ id: identity.host_id, hostname }, claimed);
  return false;
}

async function giveUpClaim({ store, clock, log }: NameDeps, { hostname, identity }: Known): Promise<boolean> {
  const contested = await isContested(store, hostname);
  if (!contested && (await store.issues.close(hostname, ISSUE, clock.now()))) {
    log.event('issue.closed', { host: hostname, issue: ISSUE });
  }
  await store.hosts.claim({ id: identity.host_id, hostname }, null);
  return false;
}

async function isContested({ enrollments }: Store, hostname: string): Promise<boolean> {
  return (await enrollments.list()).some((each) => each.status === 'pending' && isSameName(each.hostname, hostname));
}
