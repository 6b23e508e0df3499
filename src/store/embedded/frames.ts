/**
 * What crosses the socket between those who ask for writes and the one who does them: four bytes of length, then a value
 * as v8 serializes it, so that dates, `undefined` and odd keys survive; or, where the first bit of the length is set, as JSON,
 * which is quicker for short texts and numbers. Both ends are the same program of the same user.
 */
import { deserialize, serialize } from 'node:v8';

/** Above the largest report with its trail by far: a host's document has 15 MB at most (settings, limits.document). */
export const LARGEST_FRAME = 256 * 1024 * 1024;
const HEAD = 4;
const AS_JSON = 0x80000000;

/** @throws RangeError where it would be too large */
export function toFrame(value: unknown, largest: number = LARGEST_FRAME): Buffer {
  const body = serialize(value);
  if (body.length > largest) throw new RangeError(`cannot send ${body.length} bytes at once to the store's writer`);
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** @param value that is the same once it has been JSON */
export function toTextFrame(value: unknown): Buffer {
  const text = JSON.stringify(value);
  const length = Buffer.byteLength(text);
  if (length > LARGEST_FRAME) throw new RangeError(`cannot send ${length} bytes at once to the store's writer`);
  const frame = Buffer.allocUnsafe(HEAD + length);
  frame.writeUInt32LE(AS_JSON + length);
  frame.write(text, HEAD);
  return frame;
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
      const head = bytes.readUInt32LE(at);
      const length = head % AS_JSON;
      if (length > largest) throw new RangeError(`cannot take a frame of ${length} bytes`);
      needed = HEAD + length;
      if (bytes.length - at < needed) break;
      values.push(
        head === length
          ? deserialize(bytes.subarray(at + HEAD, at + needed))
          : JSON.parse(bytes.toString('utf8', at + HEAD, at + needed)),
      );
      at += needed;
      needed = HEAD;
    }
    const rest = bytes.subarray(at);
    pieces = rest.length === 0 ? [] : [rest];
    held = rest.length;
    return values;
  };
}
