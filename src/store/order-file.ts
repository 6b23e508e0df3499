import { createHash } from 'node:crypto';
import { days } from '../core/duration.ts';
import { PIECE } from './order-records.ts';

/** How long after the end of an order its files can still be looked at. */
export const FILES_STAY = days(90);
/** A file that no order names is being put in for one. */
export const FILES_WAIT = days(1);

/** In base64, one after the other. @throws RangeError for content that is not what `file` says */
export function piecesOf({ sha256, size }: { sha256: string; size: number }, content: Uint8Array): string[] {
  if (content.length !== size) throw new RangeError(`expected ${size} bytes of a file, got ${content.length}`);
  const digest = createHash('sha256').update(content).digest('hex');
  if (digest !== sha256) throw new RangeError(`expected a file with digest ${sha256}, got ${digest}`);
  const pieces: string[] = [];
  for (let from = 0; from < size; from += PIECE) {
    pieces.push(Buffer.from(content.subarray(from, from + PIECE)).toString('base64'));
  }
  return pieces;
}

/** Which pieces hold those bytes: from the first to before the last. */
export function spanOf(
  size: number,
  offset: number,
  length: number,
): { from: number; to: number; first: number; last: number } {
  const from = Math.min(offset, size);
  const to = Math.min(from + length, size);
  return { from, to, first: Math.floor(from / PIECE), last: Math.ceil(to / PIECE) };
}

/** @returns the bytes of that span; undefined where a piece is missing */
export function joinPieces(
  pieces: readonly string[],
  { from, to, first, last }: ReturnType<typeof spanOf>,
): Uint8Array | undefined {
  if (from === to) return new Uint8Array();
  if (pieces.length !== last - first) return undefined;
  const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
  const found = bytes.subarray(from - first * PIECE, to - first * PIECE);
  return found.length === to - from ? found : undefined;
}
