import type { Milliseconds } from '../../core/duration.ts';
import { beforeDeadline } from './deadline.ts';

export interface Sharing<Item> {
  /** what one batch may hold: a command ends at 16 MB */
  most: { items: number; bytes: number };
  sizeOf?: (item: Item) => number;
  /**
   * `most` under way at once: where they wait for the journal, the next is on its way meanwhile. But one that would be smaller than
   * `worth` waits for those before it, as small segments do in TCP (RFC 896): few large commands cost both sides less than many small ones.
   */
  batches?: { most: number; worth: number };
  /** for one batch */
  deadline?: Milliseconds;
}

interface Asked<Item, Answer> {
  item: Item;
  size: number;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** What became of one item of a batch. */
export type Outcome<Answer> = { answer: Answer } | { error: unknown };

/**
 * Sends together what is asked for at once: while a batch is under way, what comes is for the next.
 * A round trip, a wait for the journal and the work of both sides for a command are so shared by all requests under way.
 * @param send answers in the order of its items; where it rejects, or does not answer in time, all of them fail so
 */
export function share<Item, Answer>(
  send: (items: Item[]) => Promise<Outcome<Answer>[]>,
  { most, sizeOf = () => 0, batches = { most: 1, worth: 1 }, deadline }: Sharing<Item>,
): (item: Item) => Promise<Answer> {
  let waiting: Asked<Item, Answer>[] = [];
  let running = 0;

  function next(): Asked<Item, Answer>[] {
    let bytes = 0;
    const end = waiting.findIndex((asked, index) => {
      bytes += asked.size;
      return index > 0 && (index >= most.items || bytes > most.bytes);
    });
    const batch = end === -1 ? waiting : waiting.slice(0, end);
    waiting = end === -1 ? [] : waiting.slice(end);
    return batch;
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) await sendBatch(send, next(), deadline);
    running--;
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, size: sizeOf(item), resolve, reject });
      if (running === batches.most || (running > 0 && waiting.length < batches.worth)) return;
      running++;
      // what else comes in this turn of the event loop goes along
      setImmediate(run);
    });
}

/** Never rejects. */
async function sendBatch<Item, Answer>(
  send: (items: Item[]) => Promise<Outcome<Answer>[]>,
  batch: Asked<Item, Answer>[],
  deadline: Milliseconds | undefined,
): Promise<void> {
  let outcomes: Outcome<Answer>[];
  try {
    outcomes = await beforeDeadline(() => send(batch.map(({ item }) => item)), deadline);
  } catch (error) {
    for (const { reject } of batch) reject(error);
    return;
  }
  for (const [index, { resolve, reject }] of batch.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined) reject(new Error('cannot tell what became of it: the batch has no answer for it'));
    else if ('error' in outcome) reject(outcome.error);
    else resolve(outcome.answer);
  }
}
