import { cannotTell, type Lock, locksAfter, never } from './lock.ts';
import { type Deed, whatCommandDoes } from './what-command-does.ts';

/** What an idle daemon has been told. */
export interface IdleRules {
  timeouts: { seconds: number; command: string }[];
  /** when logind says that the session be locked */
  onLock?: string;
  /** before the machine goes to sleep */
  beforeSleep?: string;
}

export function judgeIdleRules({ timeouts, onLock, beforeSleep }: IdleRules): Lock {
  const asked = whatCommandDoes(onLock ?? '');
  // `loginctl lock-session` locks nothing by itself: the daemon's own lock command does.
  const through = (deed: Deed): Deed => (deed === 'asks' ? (asked === 'asks' ? 'nothing' : asked) : deed);
  const asleep = through(whatCommandDoes(beforeSleep ?? ''));
  const deeds = timeouts.map(({ seconds, command }) => {
    const deed = through(whatCommandDoes(command));
    return { seconds, deed: deed === 'sleeps' ? asleep : deed };
  });
  const locking = deeds.filter(({ deed }) => deed === 'locks').map(({ seconds }) => seconds);
  if (locking.length > 0) return locksAfter(Math.min(...locking));
  if (deeds.some(({ deed }) => deed === 'unclear'))
    return cannotTell('the idle daemon runs commands that we do not know');
  return never('the idle daemon runs, and locks nothing');
}
