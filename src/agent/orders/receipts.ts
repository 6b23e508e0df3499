import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import type { Receipt, ReceiptsHead } from '../../core/order.ts';
import { receiptMessage } from '../../wire/v2/order-messages.ts';
import { receiptHash } from '../../wire/v2/receipt.ts';
import type { Places } from '../places.ts';
import { syncFolder } from '../write-atomically.ts';

export type NewReceipt = Pick<Receipt, 'order' | 'kind' | 'event' | 'by' | 'why' | 'detail'>;

/** A receipt's texts are cut to what the wire takes; JSON may write each character as six. */
const LONGEST_LINE = 64 * 1024;

/**
 * Appends one receipt, synced: receipts.jsonl then ends in it, or is as it was. A last line that a crash tore off was never told to anybody and
 * goes. The caller holds orders.receiptsLock.
 * @param known the end of the chain as it was kept beside the file: where the file lost more than a torn line, the chain goes on from there,
 * so that what is missing shows
 */
export async function appendReceipt(
  { receipts }: Pick<Places, 'receipts'>,
  content: NewReceipt,
  at: Date,
  known: ReceiptsHead,
): Promise<Receipt> {
  const fd = openSync(
    receipts,
    constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    0o644,
  );
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) throw new Error(`cannot use ${receipts}: it is no regular file`);
    const isNew = facts.size === 0;
    if (isNew) fchmodSync(fd, 0o644);
    const { end, head } = lastOf(fd, facts.size);
    if (end < facts.size) ftruncateSync(fd, end);
    const receipt = nextReceipt(head !== undefined && head.number >= known.number ? head : known, content, at);
    writeAll(fd, Buffer.from(`${JSON.stringify(receipt)}\n`), end);
    fsyncSync(fd);
    if (isNew) await syncFolder(dirname(receipts));
    return receipt;
  } finally {
    closeSync(fd);
  }
}

function nextReceipt(head: ReceiptsHead, content: NewReceipt, at: Date): Receipt {
  const receipt = {
    number: head.number + 1,
    previous: head.hash,
    at: at.toISOString(),
    order: content.order,
    kind: content.kind,
    event: content.event,
    by: oneLine(content.by, 200),
    why: oneLine(content.why, 1_000),
    detail: oneLine(content.detail, 1_000),
  };
  return { ...receipt, hash: receiptHash(receipt) };
}

/** Where the last whole line ends, and which head it makes; no head where it is none of ours. */
function lastOf(fd: number, size: number): { end: number; head?: ReceiptsHead } {
  const from = Math.max(0, size - 2 * LONGEST_LINE);
  const tail = Buffer.alloc(size - from);
  const got = readSync(fd, tail, 0, tail.length, from);
  const last = tail.subarray(0, got).lastIndexOf(10);
  // Without any line end in so much, this is no file of ours: what it holds stays, and the chain goes on behind it.
  if (last === -1) return { end: from === 0 ? 0 : size };
  const line = tail.subarray(tail.lastIndexOf(10, last - 1) + 1, last);
  const receipt = parseReceipt(line.toString('utf8'));
  const fits = receipt !== undefined && receipt.hash === receiptHash(receipt);
  return { end: from + last + 1, ...(fits ? { head: { number: receipt.number, hash: receipt.hash } } : {}) };
}

export function parseReceipt(line: string): Receipt | undefined {
  try {
    const parsed = v.safeParse(receiptMessage, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

/** One line, no longer than that, and no half of a character at its end. */
function oneLine(text: string, most: number): string {
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return line.length <= most ? line : `${line.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
