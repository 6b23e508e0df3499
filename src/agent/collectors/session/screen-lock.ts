import { type CollectorTools, type HostAccess, UNKNOWN } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { findGraphicalUsers } from '../screen-lock/find-users.ts';
import type { GraphicalUser } from '../screen-lock/lock.ts';
import { canChangeLock, lockOf } from '../screen-lock/lock-of.ts';
import { seenOrKept } from '../seen-or-kept.ts';

/** Why `screenlock` says what it says, for a person who wonders. */
export const screenLock: Fact = {
  name: 'screen_lock',
  look: async (host: HostAccess, tools: CollectorTools) => {
    const people = await findGraphicalUsers(host);
    const users = await Promise.all((people ?? []).map((person) => describe(host, person)));
    const answer = await seenOrKept(tools, 'screen_lock_seen', users.length === 0 ? undefined : { users });
    return answer ?? (people === undefined ? unknown('cannot see who is logged in') : { users: [] });
  },
};

/** What cannot be told is a word here, not `unknown(…)`: it is kept, and `why` is beside it. */
async function describe(host: HostAccess, person: GraphicalUser): Promise<object> {
  const [lock, userCanChange] = await Promise.all([lockOf(host, person), canChangeLock(host, person)]);
  return {
    user: person.user,
    desktops: person.desktops,
    enabled: lock.locks,
    ...(lock.locks === true ? { delay: lock.delay } : { why: lock.why }),
    user_can_change: userCanChange ?? UNKNOWN,
  };
}
