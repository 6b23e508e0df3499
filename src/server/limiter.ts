/** How much of something may be in use at once; taking never waits. */
export interface Budget {
  /** @returns false where that much is not left (nothing is taken) */
  take(amount: number): boolean;
  give(amount: number): void;
}

export function createBudget(total: () => number): Budget {
  let taken = 0;
  return {
    take(amount) {
      if (taken + amount > total()) return false;
      taken += amount;
      return true;
    },
    give(amount) {
      taken -= amount;
    },
  };
}

/** A budget that several draw on, each up to a part of it. */
export interface SharedBudget extends Budget {
  of(who: string): Budget;
}

export function createSharedBudget(total: () => number, most: () => number): SharedBudget {
  const whole = createBudget(total);
  const parts = new Map<string, number>();
  return {
    ...whole,
    of: (who) => ({
      take(amount) {
        const more = (parts.get(who) ?? 0) + amount;
        if (more > most() || !whole.take(amount)) return false;
        parts.set(who, more);
        return true;
      },
      give(amount) {
        whole.give(amount);
        const less = (parts.get(who) ?? 0) - amount;
        if (less > 0) parts.set(who, less);
        else parts.delete(who);
      },
    }),
  };
}

/** Runs work in turns, `width` at a time, first come first served. */
export type Turnstile = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurnstile(width: number): Turnstile {
  let free = width;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
