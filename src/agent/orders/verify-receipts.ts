import type { Receipt, ReceiptsHead } from '../../core/order.ts';
import { followReceipts, NO_RECEIPTS } from '../../wire/v2/receipt.ts';
import type { Places } from '../places.ts';
import { readAllLines } from './read-receipts.ts';
import { parseReceipt } from './receipts.ts';

export interface VerifiedReceipts {
  /** those that can be read, oldest first */
  receipts: Receipt[];
  head: ReceiptsHead;
  /** where the chain does not fit, in words; none: it is whole */
  faults: string[];
}

/**
 * Reads all receipts, and whether each follows from the one before it.
 * @param written the last one that the agent wrote, where that is known
 */
export function verifyReceipts(
  places: Pick<Places, 'receipts'>,
  written: ReceiptsHead = NO_RECEIPTS,
): VerifiedReceipts {
  const receipts: Receipt[] = [];
  const faults: string[] = [];
  let head = NO_RECEIPTS;
  for (const [index, line] of readAllLines(places).entries()) {
    const receipt = parseReceipt(line);
    if (receipt === undefined) {
      faults.push(`line ${index + 1} is no receipt`);
      continue;
    }
    const next = followReceipts(head, [receipt]);
    if (next === undefined) faults.push(`line ${index + 1}: receipt ${receipt.number} ${misfit(head, receipt)}`);
    head = next ?? { number: receipt.number, hash: receipt.hash };
    receipts.push(receipt);
  }
  const last = receipts.filter(({ number }) => number === written.number).at(-1);
  if (written.number > 0 && last?.hash !== written.hash) {
    faults.push(
      `receipt ${written.number}, the last that the agent wrote, ${last === undefined ? 'is missing' : 'is another one here'}`,
    );
  }
  return { receipts, head, faults };
}

function misfit(head: ReceiptsHead, receipt: Receipt): string {
  if (receipt.number !== head.number + 1) return `does not follow number ${head.number}`;
  return receipt.previous === head.hash ? 'was changed' : `does not follow from number ${head.number} as that is here`;
}
