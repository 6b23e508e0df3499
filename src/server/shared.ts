import { minutes } from '../core/duration.ts';
import type { Clock, Random } from '../core/world.ts';
import { type Admission, type Attempt, createBackOff, type Outcome } from './login/back-off.ts';
import { createRateLimiter, type Taken } from './rate-limiter.ts';
import { createTicketRing, type TicketSecrets } from './ticket-keys.ts';

/** What the worker processes of one server have in common. */
export interface Shared {
  /** so many divide the limits among them */
  workers: number;
  /** one of them does what is to be done once */
  first: boolean;
  /** Takes from the address's one bucket, to whichever worker it came. */
  takeEnrollment(address: string, rate: number): Promise<Taken>;
  logins: {
    /** Whether it may be tried now, whichever workers the attempts before it came to. Where it may, it is to be settled. */
    admit(attempt: Attempt): Promise<Admission>;
    settle(attempt: Attempt, outcome: Outcome): void;
  };
  deprecatedPorts: {
    /** Tells the others that this host has the issue `deprecated-port` now, or has it no more. */
    tell(hostname: string, open: boolean): void;
    /** Hears it of the others. */
    onTold(hear: (hostname: string, open: boolean) => void): void;
  };
  tickets: {
    secrets(): TicketSecrets;
    /** @returns ends it */
    onRotated(hear: () => void): () => void;
  };
}

const ENROLLMENTS_PER = minutes(1);

/** For a process that is the whole server. */
export function alone({ clock, random }: { clock: Clock; random: Random }): Shared {
  const limiter = createEnrollmentLimiter();
  const backOff = createBackOff();
  const ring = createTicketRing(random);
  return {
    workers: 1,
    first: true,
    takeEnrollment: async (address, rate) => limiter.take(address, rate, clock.now()),
    logins: {
      admit: async (attempt) => backOff.admit(attempt, clock.now()),
      settle: (attempt, outcome) => backOff.settle(attempt, outcome, clock.now()),
    },
    deprecatedPorts: { tell: () => undefined, onTold: () => undefined },
    tickets: { secrets: () => ring.secrets(), onRotated: () => () => undefined },
  };
}

export function createEnrollmentLimiter() {
  return createRateLimiter(ENROLLMENTS_PER);
}
