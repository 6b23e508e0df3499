import { minutes } from '../../core/duration.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { findGraphicalUsers } from './screen-lock/find-users.ts';
import type { Lock } from './screen-lock/lock.ts';
import { lockOf } from './screen-lock/lock-of.ts';
import { seenOrKept } from './seen-or-kept.ts';

export const screenlock = {
  name: 'screenlock',
  describe: 'whether and when the screens of those who are logged in lock',
  timeout: minutes(1),
  collect: collectScreenlock,
} satisfies Collector;

async function collectScreenlock(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const people = await findGraphicalUsers(host);
  const users = await Promise.all(
    (people ?? []).map(async (person) => ({ user: person.user, ...told(await lockOf(host, person)) })),
  );
  const answer = await seenOrKept(tools, 'users', users.length === 0 ? undefined : { users });
  return answer ?? (people === undefined ? UNKNOWN : { users: [] });
}

function told(lock: Lock): { enabled: unknown; delay: unknown } {
  switch (lock.locks) {
    case true:
      return { enabled: true, delay: lock.delay };
    case false:
      return { enabled: false, delay: null };
    default:
      return { enabled: UNKNOWN, delay: UNKNOWN };
  }
}
