import { OperatorError } from '../core/errors.ts';
import type { Clock, Random } from '../core/world.ts';
import { EXIT } from './exit-codes.ts';
import { type Gatherer, gather } from './gather.ts';
import { withLock } from './lock.ts';
import { makeSpool, type Places } from './places.ts';
import { type Journal, readJournal, writeJournal } from './spool/journal.ts';
import { readReports, type SpooledReports } from './spool/read-reports.ts';
import type { SpooledReport } from './spool/report.ts';
import { setForeignAside, settle } from './spool/settle.ts';
import { type Bodies, storeReport } from './spool/store-report.ts';
import { sweep, trim } from './spool/trim.ts';

export interface Collecting {
  places: Places;
  gatherer: Gatherer;
  clock: Clock;
  random: Random;
  /** bytes */
  maxSpool: number;
}

export type Collected =
  | { outcome: 'spooled'; report: SpooledReport; failed: Journal['failed']; refused: Journal['refused'] }
  /** the machine was starting or stopping: nothing was kept */
  | { outcome: 'discarded' };

const MOST_TOLD = 20;

/** Looks at the machine and puts a report into the spool, after doing what the acks say. */
export async function collect(collecting: Collecting): Promise<Collected> {
  const { places, clock } = collecting;
  await makeSpool(places);
  return withLock(places.spool.lock, 'collect', async () => {
    await tidy(places, clock, collecting.maxSpool);
    const collectedAt = clock.now();
    const { results, refused, unsettled } = await gather(collecting.gatherer);
    if (collecting.gatherer.signal.aborted) {
      throw new OperatorError('cannot finish collecting: it was broken off; nothing was kept', {
        exitCode: EXIT.tryAgain,
      });
    }
    const journal = await readJournal(places);
    if (unsettled) {
      await writeJournal(places, { ...journal, discarded_at: collectedAt.toISOString() });
      return { outcome: 'discarded' };
    }
    const bodies: Bodies = new Map(results.map(({ name, text }) => [`plugins.${name}`, text]));
    const failed = results.flatMap(({ name, failure }) => (failure === undefined ? [] : [{ name, reason: failure }]));
    const { waiting } = await readReports(places);
    const number = Math.max(journal.number, waiting.at(-1)?.number ?? 0) + 1;
    const report = await storeReport(places, { id: collecting.random.uuid(), number, collectedAt, bodies });
    await writeJournal(places, {
      ...journal,
      number,
      collected_at: report.collected_at,
      newest: { id: report.id, list: report.list },
      failed,
      refused,
    });
    await tidy(places, clock, collecting.maxSpool);
    return { outcome: 'spooled', report, failed, refused };
  });
}

/** Does what the acks say, after a submission; the spool stays as it is where somebody is collecting just now. */
export async function settleSpool(places: Places, clock: Clock, maxSpool: number): Promise<void> {
  await makeSpool(places);
  await withLock(places.spool.lock, 'tidy the spool', () => tidy(places, clock, maxSpool));
}

/** Leaves nothing but whole reports that wait or are bad, below the size limit, and tells the journal what had to go. */
async function tidy(places: Places, clock: Clock, maxSpool: number): Promise<void> {
  await sweep(places);
  const found = await readReports(places);
  await setForeignAside(places, found.foreign);
  const left = await settle(places, found);
  const journal = await readJournal(places);
  const dropped = await trim(places, { ...left, newest: journal.newest?.list }, maxSpool);
  if (dropped.length === 0 && found.foreign.length === 0) return;
  await writeJournal(places, withLosses(journal, dropped, found.foreign, clock.now().toISOString()));
}

function withLosses(
  journal: Journal,
  dropped: readonly SpooledReport[],
  foreign: SpooledReports['foreign'],
  at: string,
): Journal {
  const last = dropped.at(-1);
  return {
    ...journal,
    dropped: {
      count: journal.dropped.count + dropped.length,
      last: last === undefined ? journal.dropped.last : { id: last.id, collected_at: last.collected_at, at },
    },
    aside: [...journal.aside, ...foreign.map((one) => ({ ...one, at }))].slice(-MOST_TOLD),
  };
}
