import { OperatorError } from '../core/errors.ts';
import type { Receipt } from '../core/order.ts';
import { EXIT } from './exit-codes.ts';
import { readKnown } from './orders/known.ts';
import { verifyReceipts } from './orders/verify-receipts.ts';
import type { Session } from './session.ts';

const SHOWN = 20;

/** What was done with orders on this machine. Receipts are everybody's to read. */
export async function commandReceipts(
  { places, output }: Session,
  { number, verify }: { number?: string; verify?: true },
): Promise<number> {
  const most = countOf(number);
  // Before the receipts: what is written meanwhile must not look as if it were missing. Not everybody may read it.
  const written = (await readKnown(places).catch(() => undefined))?.receipts;
  const { receipts, faults, head } = verifyReceipts(places, written);
  const shown = (verify && number === undefined) || most === 0 ? [] : receipts.slice(-most);
  output.json(verify ? { receipts: shown, count: receipts.length, head, faults } : shown);
  for (const receipt of shown) tellReceipt(output, receipt);
  if (receipts.length === 0) output.line('no order has come to this machine yet');
  if (faults.length > 0) return tellFaults(output, faults);
  if (verify)
    output.line(`${receipts.length} receipts, and each follows from the one before it; the last hash is ${head.hash}`);
  return EXIT.ok;
}

function tellFaults(output: Session['output'], faults: readonly string[]): number {
  output.note('penguindome-agent: the chain of receipts does not fit: somebody changed it, or the disk did');
  for (const fault of faults.slice(0, SHOWN)) output.note(`  ${fault}`);
  return EXIT.failed;
}

function tellReceipt({ line }: Session['output'], receipt: Receipt): void {
  const { at, order, kind, event, by, why, detail } = receipt;
  line(`${at.replace(/\.\d+Z$/, 'Z')}  ${event.padEnd(8)}  ${kind}  ${order}`);
  line(`  by ${by}${why === '' ? '' : `: ${why}`}`);
  if (detail !== '') line(`  ${detail}`);
}

function countOf(number: string | undefined): number {
  if (number === undefined) return SHOWN;
  if (/^\d{1,9}$/.test(number)) return Number(number);
  throw new OperatorError(`cannot show ${JSON.stringify(number)} receipts: expected a number`, {
    exitCode: EXIT.usage,
  });
}
