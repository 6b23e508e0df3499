import * as v from 'valibot';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';
import { list, reportId } from './report.ts';

const time = v.pipe(v.string(), v.isoTimestamp());
const note = v.object({ name: v.string(), reason: v.string() });

/** What the collector remembers between two runs, and what `status` tells of it. */
const journal = v.object({
  collected_at: v.nullable(time),
  /** of the last report */
  number: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** the newest report, whose bodies are kept also when it has been acknowledged: most of the next one's are the same */
  newest: v.nullable(v.object({ id: reportId, list })),
  /** results of the last collection that failed, plugins that were not run */
  failed: v.array(note),
  refused: v.array(note),
  /** reports that the size limit pushed out */
  dropped: v.object({ count: v.number(), last: v.nullable(v.object({ id: reportId, collected_at: time, at: time })) }),
  /** files of the spool that were set aside */
  aside: v.array(v.object({ name: v.string(), reason: v.string(), at: time })),
  /** a collection that was thrown away because the machine was starting or stopping */
  discarded_at: v.nullable(time),
});
export type Journal = v.InferOutput<typeof journal>;

const EMPTY: Journal = {
  collected_at: null,
  number: 0,
  newest: null,
  failed: [],
  refused: [],
  dropped: { count: 0, last: null },
  aside: [],
  discarded_at: null,
};

const LARGEST = 4 * 1024 * 1024;

/** A journal that is not there or cannot be understood is a new one: nothing in it is needed to be right. */
export async function readJournal({ spool }: Pick<Places, 'spool'>): Promise<Journal> {
  const bytes = await readHostile(spool.journal, LARGEST);
  if (bytes === undefined) return EMPTY;
  try {
    const parsed = v.safeParse(journal, JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.output : EMPTY;
  } catch {
    return EMPTY;
  }
}

export async function writeJournal({ spool }: Pick<Places, 'spool'>, content: Journal): Promise<void> {
  await writeAtomically(spool.journal, `${JSON.stringify(content)}\n`, 0o640);
}
