import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { Clock } from '../../core/world.ts';
import { type ReportMessage, reportMessage } from '../../wire/v2/order-messages.ts';
import { withLock } from '../lock.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';
import type { Results } from './accepted.ts';
import { type Known, readKnown, writeKnown } from './known.ts';
import { appendReceipt, type NewReceipt } from './receipts.ts';

type Where = Pick<Places, 'orders' | 'results' | 'receipts'>;
type Changes = Partial<Omit<Known, 'receipts' | 'version'>>;
export type NewReport = Parameters<Results['report']>[1];

/** What the applier itself needs beside what the acting part does. */
export interface Records extends Results {
  /** both, the receipt first: a host says nothing that it does not keep */
  record(receipt: NewReceipt, report: NewReport): Promise<void>;
  /** lets the submitter know that this order need not come again */
  hold(order: string): Promise<void>;
  /** changes what the submitter is let know */
  know(changes: Changes): Promise<void>;
}

/** Each call returns when what it writes is synced. */
export function openResults(places: Where, clock: Clock): Records {
  const locked = <T>(work: () => Promise<T>) =>
    withLock(places.orders.receiptsLock, 'record what became of an order', work);
  const addReceipt = async (content: NewReceipt) => {
    const known = await readKnown(places);
    const { number, hash } = await appendReceipt(places, content, clock.now(), known.receipts);
    await writeKnown(places, { ...known, receipts: { number, hash }, version: known.version + 1 });
  };
  const addReport = async (order: string, content: NewReport) => {
    await writeReport(places, order, content, clock.now());
    const known = await readKnown(places);
    await writeKnown(places, { ...known, version: known.version + 1 });
  };
  const know = (changes: Changes) =>
    locked(async () => {
      const before = await readKnown(places);
      const after = { ...before, ...changes };
      if (!isDeepStrictEqual(before, after)) await writeKnown(places, after);
    });
  return {
    report: (order, content) => locked(() => addReport(order, content)),
    receipt: (content) => locked(() => addReceipt(content)),
    record: (receipt, report) =>
      locked(async () => {
        await addReceipt(receipt);
        await addReport(receipt.order, report);
      }),
    hold: (order) =>
      locked(async () => {
        const known = await readKnown(places);
        if (!known.held.includes(order)) await writeKnown(places, { ...known, held: [...known.held, order] });
      }),
    release: (number) => know({ release: number }),
    know,
  };
}

/** Two outputs of 256 KB and 500 steps, each character of which JSON may write as six. */
const LARGEST_REPORT = 8 * 1024 * 1024;

export function reportFile({ results }: Pick<Places, 'results'>, order: string): string {
  return join(results, `${order}.json`);
}

/** @returns undefined where there is none, or it is damaged */
export async function readReport(places: Pick<Places, 'results'>, order: string): Promise<ReportMessage | undefined> {
  const bytes = await readHostile(reportFile(places, order), LARGEST_REPORT);
  if (bytes === undefined) return undefined;
  try {
    const parsed = v.safeParse(reportMessage, JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

async function writeReport(
  places: Pick<Places, 'results'>,
  order: string,
  content: NewReport,
  at: Date,
): Promise<void> {
  const last = await readReport(places, order);
  const report = { ...content, order, number: (last?.number ?? 0) + 1, at };
  await writeAtomically(reportFile(places, order), `${JSON.stringify(report)}\n`, 0o640);
}
