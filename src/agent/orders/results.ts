import { join } from 'node:path';
import * as v from 'valibot';
import type { OrderReport } from '../../core/order.ts';
import type { Clock } from '../../core/world.ts';
import { type ReportMessage, reportMessage } from '../../wire/v2/order-messages.ts';
import { withLock } from '../lock.ts';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';
import { type Known, readKnown, writeKnown } from './known.ts';
import { appendReceipt, type NewReceipt } from './receipts.ts';

type Where = Pick<Places, 'orders' | 'results' | 'receipts'>;
export type NewReport = Omit<OrderReport, 'order' | 'number' | 'at'>;

/** Where everything that becomes of orders is written, by the applier and by what it starts. Each call returns when that is synced. */
export interface Results {
  /** results/ID.json becomes this report, numbered above the one before it */
  report(order: string, content: NewReport): Promise<void>;
  /** one more in the chain */
  receipt(content: NewReceipt): Promise<void>;
  /** both, the receipt first: a host says nothing that it does not keep */
  record(receipt: NewReceipt, report: NewReport): Promise<void>;
  /** changes what the submitter is let know */
  know(changes: Partial<Omit<Known, 'receipts'>>): Promise<void>;
}

export function openResults(places: Where, clock: Clock): Results {
  const locked = <T>(work: () => Promise<T>) =>
    withLock(places.orders.receiptsLock, 'record what became of an order', work);
  const addReceipt = async (content: NewReceipt) => {
    const known = await readKnown(places);
    const { number, hash } = await appendReceipt(places, content, clock.now(), known.receipts);
    await writeKnown(places, { ...known, receipts: { number, hash } });
  };
  const addReport = (order: string, content: NewReport) => writeReport(places, order, content, clock.now());
  return {
    report: (order, content) => locked(() => addReport(order, content)),
    receipt: (content) => locked(() => addReceipt(content)),
    record: (receipt, report) =>
      locked(async () => {
        await addReceipt(receipt);
        await addReport(receipt.order, report);
      }),
    know: (changes) => locked(async () => writeKnown(places, { ...(await readKnown(places)), ...changes })),
  };
}

/** Two outputs of 256 KB and 500 steps, each character of which JSON may write as six. */
const LARGEST_REPORT = 8 * 1024 * 1024;

export function reportFile({ results }: Pick<Places, 'results'>, order: string): string {
  return join(results.root, `${order}.json`);
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
