import type { FileHandle } from 'node:fs/promises';

const NEWLINE = 0x0a;
const PIECE = 64 * 1024;

export interface LastLine {
  /** the last line that has its end, without it; undefined where no line has one */
  text: string | undefined;
  /** what stands behind it: half a line, which may end within a character */
  tail: Uint8Array;
}

/** Reads a file from its end, as far back as the last whole line begins. */
export async function lastLine(file: FileHandle, size: number): Promise<LastLine> {
  for (let length = Math.min(PIECE, size); ; length = Math.min(length * 4, size)) {
    const bytes = Buffer.alloc(length);
    await file.read(bytes, 0, length, size - length);
    const end = bytes.lastIndexOf(NEWLINE);
    const start = end <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
    if (start < 0 && length < size) continue;
    return {
      text: end < 0 ? undefined : bytes.toString('utf8', start + 1, end),
      tail: bytes.subarray(end + 1),
    };
  }
}
