import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { Receipt } from '../../core/order.ts';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';
import { parseReceipt } from './receipts.ts';

const FIRST_LOOK = 64 * 1024;

/** The receipts that follow the one with this number, the oldest first, `most` at most; from the end of the file, which may be long. */
export async function readReceiptsAfter(
  places: Pick<Places, 'receipts'>,
  number: number,
  most: number,
): Promise<Receipt[]> {
  const lines = readLines(
    places.receipts,
    (line) => (parseReceipt(line)?.number ?? Number.POSITIVE_INFINITY) <= number + 1,
  );
  const receipts = lines.flatMap((line) => parseReceipt(line) ?? []);
  return receipts.filter((receipt) => receipt.number > number).slice(0, most);
}

/** The newest ones, the oldest of them first: out of the last 64 KB of the file. */
export function readLastReceipts({ receipts }: Pick<Places, 'receipts'>, most: number): Receipt[] {
  return readLines(receipts, () => true)
    .slice(-most)
    .flatMap((line) => parseReceipt(line) ?? []);
}

/** All lines that are whole; a last one without its end is being written, or was torn off. */
export function readAllLines({ receipts }: Pick<Places, 'receipts'>): string[] {
  return readLines(receipts, () => false);
}

/** Whole lines from the end of the file back to one of which `isEnough` holds. */
function readLines(path: string, isEnough: (line: string) => boolean): string[] {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new Error(`cannot read ${path}: it is no regular file`);
    for (let look = FIRST_LOOK; ; look *= 4) {
      const from = Math.max(0, facts.size - look);
      const lines = linesFrom(fd, from, facts.size);
      const [first] = lines;
      if (from === 0 || (first !== undefined && isEnough(first))) return lines;
    }
  } finally {
    closeSync(fd);
  }
}

function linesFrom(fd: number, from: number, to: number): string[] {
  const bytes = Buffer.alloc(to - from);
  let got = 0;
  for (let more = 1; more > 0 && got < bytes.length; got += more) {
    more = readSync(fd, bytes, got, bytes.length - got, from + got);
  }
  const text = bytes.subarray(0, got);
  const begin = from === 0 ? 0 : text.indexOf(10) + 1;
  const end = text.lastIndexOf(10);
  return end < begin ? [] : text.subarray(begin, end).toString('utf8').split('\n');
}
