import type { Worker } from 'node:cluster';
import { type Begin, type FromProcess, type ToProcess, toProcess, type WorkerState } from './messages.ts';
import { untilAborted } from './until-aborted.ts';

/** A worker's or the writer's way to the primary. */
export interface Channel {
  tell(message: FromProcess): void;
  on(hear: (message: ToProcess) => void): void;
  /** Says that this process is awake. @returns what it is told to begin with; undefined where it is told to stop before */
  begin(): Promise<Begin | undefined>;
  /** What pings are answered with from now on. */
  describe(state: () => WorkerState): void;
  /** aborts when the primary says stop */
  readonly stopped: AbortSignal;
  untilStopped(): Promise<void>;
  /** Nothing more is said or heard. Node then ends the process. */
  close(): void;
}

/** Where the primary is gone, Node ends this process at once: an unasked-for `disconnect` of a cluster's worker does that. */
export function openChannel(worker: Worker): Channel {
  const hearers = new Set<(message: ToProcess) => void>();
  const stop = new AbortController();
  let state: (() => WorkerState) | undefined;
  // A callback: the primary may be gone before this is said, which is no error of ours.
  const tell = (message: FromProcess): void => void worker.send(message, undefined, undefined, () => undefined);

  worker.on('message', (raw: unknown) => {
    const { data: message } = toProcess.safeParse(raw);
    if (message?.kind === 'ping') tell({ kind: 'alive', state: state?.() });
    else if (message?.kind === 'stop') stop.abort();
    else if (message !== undefined) for (const hear of hearers) hear(message);
  });
  return {
    tell,
    on: (hear) => void hearers.add(hear),
    begin: () =>
      new Promise((resolve) => {
        hearers.add((message) => {
          if (message.kind === 'begin') resolve(message);
        });
        void untilAborted(stop.signal).then(() => resolve(undefined));
        tell({ kind: 'awake' });
      }),
    describe: (next) => {
      state = next;
    },
    stopped: stop.signal,
    untilStopped: () => untilAborted(stop.signal),
    close: () => worker.process.disconnect(),
  };
}
