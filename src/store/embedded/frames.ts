/**
 * What crosses the socket between those who ask for writes and the one who does them: four bytes of length, then a value
 * as v8 serializes it, so that dates, `undefined` and odd keys survive. Both ends are the same program of the same user.
 */
import { deserialize, serialize } from 'node:v8';

/** Above the largest report with its trail by far: a host's document has 15 MB at most (settings, limits.document). */
export const LARGEST_FRAME = 256 * 1024 * 1024;
const HEAD = 4;

/** @throws RangeError where it would be too large */
export function toFrame(value: unknown, largest: number = LARGEST_FRAME): Buffer {
  const body = serialize(value);
  if (body.length > largest) throw new RangeError(`cannot send ${body.length} bytes at once to the store's writer`);
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/**
 * Puts together what comes in pieces.
 * @returns what takes the pieces, and gives the values that they complete. It throws at what is no frame: nothing after that can be read
 */
export function frameReader(largest: number = LARGEST_FRAME): (piece: Buffer) => unknown[] {
  let pieces: Buffer[] = [];
  let held = 0;
  let needed = HEAD;

  return (piece) => {
    pieces.push(piece);
    held += piece.length;
    if (held < needed) return [];
    const bytes = pieces.length === 1 ? piece : Buffer.concat(pieces);
    const values: unknown[] = [];
    let at = 0;
    needed = HEAD;
    while (bytes.length - at >= HEAD) {
      const length = bytes.readUInt32LE(at);
      if (length > largest) throw new RangeError(`cannot take a frame of ${length} bytes`);
      needed = HEAD + length;
      if (bytes.length - at < needed) break;
      values.push(deserialize(bytes.subarray(at + HEAD, at + needed)));
      at += needed;
      needed = HEAD;
    }
    const rest = bytes.subarray(at);
    pieces = rest.length === 0 ? [] : [rest];
    held = rest.length;
    return values;
  };
}
