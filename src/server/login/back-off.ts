import { hours, type Milliseconds, minutes, seconds } from '../../core/duration.ts';
import { subscriberOf } from '../subscriber.ts';

/** Whose attempt to log in it is. */
export interface Attempt {
  address: string;
  /** a digest of the name: names are not kept, for what was typed there may be a password */
  user: string;
}

/** Whether the attempt may be made now. */
export interface Admission {
  /** until it may; 0: it may, and is to be settled */
  wait: Milliseconds;
  /** whether it is the first that was turned away in this pause */
  first: boolean;
}

/** `abandoned`: the password was not looked at */
export type Outcome = 'passed' | 'failed' | 'abandoned';

/** Pauses between attempts to log in, growing with each that failed, for an address (of IPv6: a /64) and for a user. */
export interface BackOff {
  admit(attempt: Attempt, now: Date): Admission;
  settle(attempt: Attempt, outcome: Outcome, now: Date): void;
}

interface Rule {
  /** so many may fail before there is a pause */
  free: number;
  longest: Milliseconds;
}

const ADDRESS: Rule = { free: 10, longest: minutes(15) };
/** Shorter: whoever knows a name could else keep its owner out. */
const USER: Rule = { free: 5, longest: minutes(1) };
const FIRST_PAUSE: Milliseconds = seconds(1);
/** What failed so long ago is forgotten. */
const FORGOTTEN: Milliseconds = hours(1);
/** An attempt that was not settled by then was one of a process that has ended. */
const ABANDONED: Milliseconds = seconds(30);
/** More addresses, or users, than these are not remembered: the longest unseen is forgotten. */
const MOST = 20_000;

export function createBackOff(most = MOST): BackOff {
  const addresses = createLedger(ADDRESS, most);
  const users = createLedger(USER, most);
  // Where a user has come in from before, others' failures do not keep it out.
  const familiar = createRecent<true>(most);
  return {
    admit({ address, user }, date) {
      const now = date.getTime();
      const subscriber = subscriberOf(address);
      const ledgers = [
        { ledger: addresses, key: subscriber },
        ...(familiar.get(`${user} ${subscriber}`) === true ? [] : [{ ledger: users, key: user }]),
      ];
      const waits = ledgers.map(({ ledger, key }) => ledger.wait(key, now));
      const wait = Math.max(...waits);
      if (wait > 0) {
        const told = ledgers.map(({ ledger, key }, index) => (waits[index] ?? 0) > 0 && ledger.tell(key));
        return { wait, first: told.includes(true) };
      }
      for (const { ledger, key } of ledgers) ledger.begin(key, now);
      return { wait: 0, first: false };
    },
    settle({ address, user }, outcome, date) {
      const now = date.getTime();
      const subscriber = subscriberOf(address);
      addresses.end(subscriber, outcome === 'failed', now);
      users.end(user, outcome === 'failed', now);
      if (outcome === 'passed') familiar.set(`${user} ${subscriber}`, true);
      else if (outcome === 'failed') familiar.delete(`${user} ${subscriber}`);
    },
  };
}

interface Tally {
  failures: number;
  /** of the last failure */
  at: Milliseconds;
  until: Milliseconds;
  told: boolean;
  /** when each attempt began that is not settled */
  pending: Milliseconds[];
}

function createLedger({ free, longest }: Rule, most: number) {
  const tallies = createRecent<Tally>(most);

  function tallyOf(key: string, now: Milliseconds): Tally {
    const { failures = 0, at = now, until = 0, told = false, pending = [] } = tallies.get(key) ?? {};
    const left = pending.filter((began) => began > now - ABANDONED && began <= now);
    if (now - at > FORGOTTEN) return { failures: 0, at: now, until: 0, told: false, pending: left };
    // A clock that was set back makes no pause longer.
    return { failures, at, until: Math.min(until, now + longest), told, pending: left };
  }

  return {
    wait(key: string, now: Milliseconds): Milliseconds {
      const { failures, until, pending } = tallyOf(key, now);
      if (until > now) return until - now;
      // Beyond the free ones, one at a time: many at once would all begin before the first has failed.
      return failures >= free && pending.length > 0 ? FIRST_PAUSE : 0;
    },
    begin(key: string, now: Milliseconds): void {
      const tally = tallyOf(key, now);
      tallies.set(key, { ...tally, pending: [...tally.pending, now] });
    },
    end(key: string, failed: boolean, now: Milliseconds): void {
      const { pending, ...tally } = tallyOf(key, now);
      const left = pending.slice(1);
      if (!failed) {
        tallies.set(key, { ...tally, pending: left });
        return;
      }
      const failures = tally.failures + 1;
      const pause = Math.min(longest, FIRST_PAUSE * 2 ** (failures - free));
      tallies.set(key, { failures, at: now, until: failures < free ? 0 : now + pause, told: false, pending: left });
    },
    /** @returns whether it was not told of this pause before */
    tell(key: string): boolean {
      const tally = tallies.get(key);
      if (tally === undefined || tally.told) return false;
      tallies.set(key, { ...tally, told: true });
      return true;
    },
  };
}

/** A map that forgets what was set longest ago. */
function createRecent<T>(most: number) {
  const values = new Map<string, T>();
  return {
    get: (key: string): T | undefined => values.get(key),
    set(key: string, value: T): void {
      values.delete(key);
      values.set(key, value);
      const [oldest] = values.keys();
      if (values.size > most && oldest !== undefined) values.delete(oldest);
    },
    delete: (key: string): void => void values.delete(key),
  };
}
