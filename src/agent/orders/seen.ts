import * as v from 'valibot';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** orders/seen.json: what must not be taken a second time. */
const seen = v.object({
  /** ids of orders that somebody trusted has signed, until they expire */
  ids: v.record(
    v.string(),
    v.object({ until: v.string(), /** it came again, and that was recorded */ again: v.optional(v.literal(true)) }),
  ),
  /** SHA-256 of documents that were refused, and when: the same one need not be recorded twice */
  refused: v.record(v.string(), v.string()),
  /** refusals of a day that were recorded, and all that were not, ever */
  day: v.optional(v.object({ date: v.string(), count }), { date: '', count: 0 }),
  unrecorded: v.optional(count, 0),
});
export type Seen = v.InferOutput<typeof seen>;

const LARGEST = 32 * 1024 * 1024;
const MOST_REFUSED = 1_000;

/** @throws where it is damaged: an order could come a second time */
export async function readSeen({ orders }: Pick<Places, 'orders'>): Promise<Seen> {
  const bytes = await readHostile(orders.seen, LARGEST);
  if (bytes === undefined) return { ids: {}, refused: {}, day: { date: '', count: 0 }, unrecorded: 0 };
  try {
    return v.parse(seen, JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new Error(
      `${orders.seen} is damaged, and without it an order could be carried out twice; remove it where no order of the last 90 days would do harm`,
      { cause },
    );
  }
}

export async function writeSeen({ orders }: Pick<Places, 'orders'>, content: Seen): Promise<void> {
  await writeAtomically(orders.seen, `${JSON.stringify(content)}\n`, 0o600);
}

/** Without what has expired (it would be refused for that) and the oldest of too many refusals. @param now by what was seen signed, which never goes back */
export function pruneSeen(content: Seen, now: Date, isKept: (id: string) => boolean): Seen {
  const ids = Object.entries(content.ids).filter(([id, { until }]) => Date.parse(until) > now.getTime() || isKept(id));
  const refused = Object.entries(content.refused).sort(([, a], [, b]) => (a < b ? 1 : -1));
  return { ...content, ids: Object.fromEntries(ids), refused: Object.fromEntries(refused.slice(0, MOST_REFUSED)) };
}
