import type { Captured } from '../../core/order.ts';

/** Keeps the first `most` bytes of a stream, and counts the rest. @returns a function that gives what was kept */
export function capture(stream: NodeJS.ReadableStream, most: number): () => Captured {
  const pieces: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (piece: Buffer) => {
    if (bytes < most) pieces.push(piece.subarray(0, most - bytes));
    bytes += piece.length;
  });
  // A pipe that breaks says no more than the exit status does.
  stream.on('error', () => undefined);
  return () => captured(Buffer.concat(pieces), bytes);
}

/** @param bytes written in all; more than are kept where it was cut */
export function captured(kept: Buffer, bytes: number): Captured {
  const truncated = bytes > kept.length;
  const text = textOf(truncated ? withoutCutCharacter(kept) : kept);
  return { ...(text === undefined ? { base64: kept.toString('base64') } : { text }), bytes, truncated };
}

function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Without the beginning of a character whose end was cut off (RFC 3629: at most three bytes). */
function withoutCutCharacter(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}
