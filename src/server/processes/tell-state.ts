import type { Log } from '../../core/events.ts';
import type { KeptProcess } from './keep-process.ts';
import type { WorkerState } from './messages.ts';

type Store = WorkerState['store'];

const SAID: Record<Store, string> = {
  up: 'store reachable',
  down: 'STORE NOT REACHABLE, requests get 503',
  maintenance: 'store under maintenance',
};

/** The status line. */
export function describeServer(workers: KeptProcess[], writer: KeptProcess | undefined): string {
  const ready = workers.filter((worker) => worker.isReady()).length;
  const [requests, refused] = (['requests', 'refused'] as const).map((name) =>
    workers.reduce((sum, worker) => sum + worker.figures()[name], 0),
  );
  const ports = Math.max(...workers.map((worker) => worker.ports()));
  return [
    `${ports} ports`,
    SAID[worst(workers)?.store ?? 'up'],
    ...(ready === workers.length ? [] : [`${ready} OF ${workers.length} WORKERS, the others are being started again`]),
    ...(writer === undefined || writer.isReady() ? [] : ['THE WRITER IS BEING STARTED AGAIN, reports get 503']),
    `${requests} requests since the start`,
    `${refused} refused`,
  ].join(', ');
}

/** Tells the log when the store comes and goes: once, whatever the number of workers that notice it. */
export function followStore(log: Log): (workers: KeptProcess[]) => void {
  let last: Store = 'up';
  return (workers) => {
    const now = worst(workers);
    if (now === undefined || now.store === last) return;
    if (now.store === 'down') log.event('store.lost', { reason: now.reason });
    else if (now.store === 'maintenance') log.event('store.maintenance', { reason: now.reason });
    else log.event('store.back', { was: last });
    last = now.store;
  };
}

/** Of the worker that is worst off; undefined where none has said anything. */
function worst(workers: KeptProcess[]): WorkerState | undefined {
  const states = workers.flatMap((worker) => worker.state() ?? []);
  return (
    states.find(({ store }) => store === 'down') ??
    states.find(({ store }) => store === 'maintenance') ??
    states.find(({ store }) => store === 'up')
  );
}
