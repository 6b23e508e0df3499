import type { ReceiptsHead } from '../../core/order.ts';
import type { ResultsRequest } from '../../wire/v2/order-messages.ts';
import { followReceipts } from '../../wire/v2/receipt.ts';

export type Judged =
  /** the head that the chain has now; the same one where nothing new came */
  | { as: 'fits'; head: ReceiptsHead }
  /** the server knows less than it once said: the host goes on behind what it is told now */
  | { as: 'server-went-back' }
  /** `head`: where the host's chain goes on, be it as it may; undefined where it is no chain at all */
  | { as: 'broken'; why: string; head?: ReceiptsHead };

/** Whether what a host sends of its receipts goes on from the head that the server has. */
export function judgeReceipts(
  head: ReceiptsHead,
  { receipts, known, end }: Pick<ResultsRequest, 'receipts' | 'known' | 'end'>,
): Judged {
  const [first] = receipts;
  const last =
    first === undefined ? undefined : followReceipts({ number: first.number - 1, hash: first.previous }, receipts);
  if (first !== undefined && last === undefined) {
    return { as: 'broken', why: 'what it sent does not follow one from the other' };
  }
  const broken = (why: string): Judged => {
    const goesOn = last ?? end;
    return { as: 'broken', why, ...(goesOn && { head: goesOn }) };
  };
  if (end !== undefined) {
    if (end.number < head.number) return broken(`it goes back: it ends with ${end.number}, and had ${head.number}`);
    if (end.number === head.number && end.hash !== head.hash) return broken(`it forks: ${end.number} is another one`);
  }
  if (first === undefined || last === undefined) return { as: 'fits', head };
  if (first.number > head.number + 1) {
    if (known > head.number) return { as: 'server-went-back' };
    return broken(`it has a gap: ${first.number} comes after ${head.number}`);
  }
  const same = receipts.find(({ number }) => number === head.number);
  if (same !== undefined && same.hash !== head.hash) return broken(`it forks: ${head.number} is another one`);
  // Sent again because the answer was lost; it is not known what they were.
  if (last.number <= head.number) return { as: 'fits', head };
  const next = followReceipts(
    head,
    receipts.filter(({ number }) => number > head.number),
  );
  return next === undefined
    ? broken(`it forks: ${head.number + 1} does not follow what the server has`)
    : { as: 'fits', head: next };
}
