import type { Engine } from './engine.ts';

/** More than this wait for the next group: the transaction blocks its thread while it runs. */
const LARGEST_GROUP = 64;

export interface Group {
  /**
   * Does the work together with what else is asked for in the same turn of the event loop: one transaction, one wait for the disk.
   * Each has its own savepoint, so that one that throws undoes only itself.
   * @returns what the work returned, when it is on disk
   */
  commit<T>(work: () => T): Promise<T>;
  /** Does at once what still waits. */
  flush(): void;
}

interface Job {
  run(): void;
  done(): void;
  fail(error: unknown): void;
}

export function groupCommits(engine: Engine): Group {
  let waiting: Job[] = [];
  let scheduled: NodeJS.Immediate | undefined;

  function commitWaiting(): void {
    scheduled = undefined;
    while (waiting.length > 0) {
      const group = waiting.slice(0, LARGEST_GROUP);
      waiting = waiting.slice(LARGEST_GROUP);
      commitGroup(engine, group);
    }
  }

  return {
    commit<T>(work: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let outcome: () => void = () => undefined;
        waiting.push({
          run() {
            const result = work();
            outcome = () => resolve(result);
          },
          done: () => outcome(),
          fail(error) {
            outcome = () => reject(error);
          },
        });
        scheduled ??= setImmediate(commitWaiting);
      });
    },
    flush() {
      clearImmediate(scheduled);
      commitWaiting();
    },
  };
}

/** Nothing is said to be done before the whole group is on disk; where it does not get there, all of it failed. */
function commitGroup(engine: Engine, group: readonly Job[]): void {
  try {
    const [only, ...others] = group;
    if (only !== undefined && others.length === 0) only.run();
    else engine.transaction(() => runEach(engine, group));
  } catch (error) {
    for (const job of group) job.fail(error);
  }
  for (const job of group) job.done();
}

function runEach(engine: Engine, group: readonly Job[]): void {
  for (const job of group) {
    try {
      engine.transaction(() => job.run());
    } catch (error) {
      // After some errors (a full disk) SQLite has undone the whole transaction: then none of the group is done.
      if (!engine.inTransaction()) throw error;
      job.fail(error);
    }
  }
}
