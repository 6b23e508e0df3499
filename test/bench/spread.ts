import { setTimeout as sleep } from 'node:timers/promises';

export interface Figures {
  count: number;
  seconds: number;
  perSecond: number;
  /** in ms */
  p50: number;
  p99: number;
}

export interface Plan {
  count: number;
  /** how many at once, where there is no rate */
  lanes: number;
  /** per second */
  rate: number | undefined;
}

/** Does the work `count` times: `lanes` at once, as fast as they go; or, with a rate, each when it is due, however many that are at once. */
export async function spread(
  { count, lanes, rate }: Plan,
  work: (number: number, lane: number) => Promise<void>,
): Promise<Figures> {
  const latencies = new Float64Array(count);
  const timed = async (number: number, lane: number, from: number): Promise<void> => {
    await work(number, lane);
    latencies[number] = performance.now() - from;
  };
  const started = performance.now();
  await (rate === undefined ? inLanes({ count, lanes }, timed) : atRate({ count, lanes, rate }, timed));
  const seconds = (performance.now() - started) / 1000;
  latencies.sort();
  const percentile = (share: number): number => latencies[Math.min(count - 1, Math.floor(count * share))] ?? 0;
  return { count, seconds, perSecond: count / seconds, p50: percentile(0.5), p99: percentile(0.99) };
}

type Timed = (number: number, lane: number, from: number) => Promise<void>;

async function inLanes({ count, lanes }: Omit<Plan, 'rate'>, work: Timed): Promise<void> {
  let next = 0;
  const lane = async (_: unknown, number: number): Promise<void> => {
    while (next < count) await work(next++, number, performance.now());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Open loop: what is late counts from when it was due, so that a server that stalls cannot hide it. */
async function atRate({ count, lanes, rate }: Plan & { rate: number }, work: Timed): Promise<void> {
  const running: Promise<void>[] = [];
  const started = performance.now();
  while (running.length < count) {
    const due = started + (running.length * 1000) / rate;
    if (due <= performance.now()) running.push(work(running.length, running.length % lanes, due));
    else await sleep(1);
  }
  await Promise.all(running);
}
