import { StoreUnavailable } from '../../core/errors.ts';
import type { Engine } from './engine.ts';

/** More than this wait for the next group: the transaction blocks its thread while it runs. */
const LARGEST_GROUP = 128;

/** One statement or one transaction: where it throws it has done nothing. It may run twice, and what counts is the last time. */
export interface Job {
  run(): void;
  /** on disk */
  done(): void;
  fail(error: unknown): void;
}

export interface Group {
  /** Does the job together with what else is asked for in the same turn of the event loop: one transaction, one wait for the disk. */
  add(job: Job): void;
  /** As a promise. @returns what the work returned, when it is on disk */
  commit<T>(work: () => T): Promise<T>;
  /** Does at once what still waits. */
  flush(): void;
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

  const group: Group = {
    add(job) {
      waiting.push(job);
      scheduled ??= setImmediate(commitWaiting);
    },
    commit<T>(work: () => T): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let finish: () => void = () => undefined;
        group.add({
          run() {
            const result = work();
            finish = () => resolve(result);
          },
          done: () => finish(),
          fail: reject,
        });
      });
    },
    flush() {
      clearImmediate(scheduled);
      commitWaiting();
    },
  };
  return group;
}

/** Nothing is said to be done before the whole group is on disk. */
function commitGroup(engine: Engine, group: readonly Job[]): void {
  const [only] = group;
  if (only !== undefined && group.length === 1) {
    commitAlone(only);
    return;
  }
  try {
    engine.transaction(() => {
      for (const job of group) job.run();
    });
  } catch (error) {
    // No room or no lock for one is none for the others. Anything else is one job's own fault: all are undone by now, and each is done by itself.
    for (const job of group) {
      if (error instanceof StoreUnavailable) job.fail(error);
      else commitAlone(job);
    }
    return;
  }
  for (const job of group) job.done();
}

function commitAlone(job: Job): void {
  try {
    job.run();
  } catch (error) {
    job.fail(error);
    return;
  }
  job.done();
}
