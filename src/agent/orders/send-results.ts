import * as v from 'valibot';
import type { Receipt, ReceiptsHead } from '../../core/order.ts';
import {
  MOST_RECEIPTS_AT_ONCE,
  MOST_REPORTS_AT_ONCE,
  type ReportMessage,
  resultsAnswer,
} from '../../wire/v2/order-messages.ts';
import { RESULTS } from '../../wire/v2/paths.ts';
import { NO_RECEIPTS } from '../../wire/v2/receipt.ts';
import type { Speaking } from '../build-submission.ts';
import { exchange, problemIn, type Speaker } from '../exchange.ts';
import type { Places } from '../places.ts';
import { RequestProblem } from '../problem.ts';
import { listHostile } from '../read-hostile.ts';
import { readKnown } from './known.ts';
import { readLastReceipts, readReceiptsAfter } from './read-receipts.ts';
import { readReport } from './results.ts';
import { readTold, type Told, writeTold } from './told.ts';

type Where = Pick<Places, 'inbox' | 'results' | 'receipts'>;

const MOST_REPORTS = 20_000;
/** Of reports in one request; one alone may be larger. */
const ENOUGH_BYTES = 1024 * 1024;
const MOST_ROUNDS = 50;

/** Tells the server what became of orders, as far as it does not have it on disk. @returns how many reports and receipts it took */
export async function sendResults(places: Where, speaker: Speaker, speaking: Speaking): Promise<number> {
  let sent = 0;
  await forgetWhatAnotherStoreHad(places, speaker.memory.state.epoch);
  // Before anything is looked at: what is written meanwhile has another one.
  const { version } = await readKnown(places);
  let most = MOST_REPORTS_AT_ONCE;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const told = await readTold(places);
    const { reports, held } = await untold(places, told, most);
    const isAlone = most === 1 && reports.length > 0;
    const receipts = isAlone ? [] : await readReceiptsAfter(places, told.receipts, MOST_RECEIPTS_AT_ONCE);
    // After them: it must not be older than what is sent.
    const end = readLastReceipts(places, 1)[0] ?? NO_RECEIPTS;
    // A chain that is shorter than what the server had of it, the server is to hear of.
    if (reports.length + receipts.length === 0 && end.number >= told.receipts) {
      if ((told.version ?? 0) !== version) await writeTold(places, { ...told, version });
      return sent;
    }
    const next = await send({ speaker, speaking, reports, receipts, known: told.receipts, end });
    if (next === 'malformed' && !isAlone && reports.length > 0) {
      // One by one, so that none keeps the others from the server.
      most = 1;
      continue;
    }
    const kept = Object.entries(told.reports).filter(([id]) => held.has(id));
    if (next === 'malformed') {
      const given = Object.fromEntries(reports.map(({ order, number }) => [order, number]));
      await writeTold(places, { ...told, reports: { ...Object.fromEntries(kept), ...given } });
      if (reports.length === 0)
        throw new RequestProblem('refused', 'the server calls the receipts of orders malformed');
      continue;
    }
    const progress = countOf(told, next, reports, receipts);
    await writeTold(places, {
      ...told,
      reports: { ...Object.fromEntries(kept), ...next.reports },
      receipts: next.receipts,
    });
    sent += progress;
    if (progress === 0 && next.receipts === told.receipts) return sent;
  }
  return sent;
}

interface Sending {
  speaker: Speaker;
  speaking: Speaking;
  reports: readonly ReportMessage[];
  receipts: readonly Receipt[];
  /** number of the last receipt that the server said it has */
  known: number;
  end: ReceiptsHead;
}

/** A store that was restored is told again; of receipts it says by itself which was the last. */
async function forgetWhatAnotherStoreHad(places: Pick<Places, 'inbox'>, epoch: string | null): Promise<void> {
  const told = await readTold(places);
  if (epoch === null || told.epoch === epoch) return;
  await writeTold(places, { epoch, reports: {}, receipts: told.receipts });
}

async function send({
  speaker,
  speaking,
  end,
  ...content
}: Sending): Promise<Pick<Told, 'reports' | 'receipts'> | 'malformed'> {
  const { hostname, version } = speaking;
  const message = { hostname, ...content, end: { number: end.number, hash: end.hash }, agent: version };
  const answer = await exchange(speaker, RESULTS, message);
  if (answer.outcome === 'refused' && [400, 413, 415].includes(answer.status)) return 'malformed';
  if (answer.outcome === 'refused') throw problemIn(answer, speaker.clock);
  const parsed = v.safeParse(resultsAnswer, answer.content);
  if (!parsed.success) throw new RequestProblem('refused', "cannot understand the server's answer to results");
  const taken = parsed.output.taken.map(({ order, number }) => [order, number] as const);
  return { reports: Object.fromEntries(taken), receipts: parsed.output.receipts };
}

function countOf(
  told: Told,
  next: Pick<Told, 'reports' | 'receipts'>,
  reports: readonly ReportMessage[],
  receipts: readonly Receipt[],
): number {
  const taken = reports.filter(({ order, number }) => (next.reports[order] ?? 0) >= number).length;
  const last = receipts.at(-1)?.number ?? told.receipts;
  return taken + Math.max(0, Math.min(next.receipts, last) - told.receipts);
}

/** @returns reports that the server lacks, as many as fit, and the ids of all */
async function untold(
  places: Pick<Places, 'results'>,
  told: Told,
  most: number,
): Promise<{ reports: ReportMessage[]; held: Set<string> }> {
  const reports: ReportMessage[] = [];
  const held = new Set<string>();
  let bytes = 0;
  for (const name of await listHostile(places.results, MOST_REPORTS)) {
    const id = /^([0-9a-f-]{36})\.json$/.exec(name)?.[1];
    if (id === undefined) continue;
    held.add(id);
    if (reports.length >= most || bytes >= ENOUGH_BYTES) continue;
    const report = await readReport(places, id);
    if (report === undefined || report.number <= (told.reports[id] ?? 0)) continue;
    const size = JSON.stringify(report).length;
    if (reports.length > 0 && bytes + size > ENOUGH_BYTES) continue;
    reports.push(report);
    bytes += size;
  }
  return { reports, held };
}
