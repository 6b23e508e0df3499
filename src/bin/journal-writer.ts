import { fstatSync } from 'node:fs';

/**
 * What hands lines to the journal: standard error, where systemd has connected that to it.
 * @param journalStream $JOURNAL_STREAM: device and inode of the stream (systemd.exec(5)); inherited ones name another stream
 */
export function journalWriter(
  stderr: NodeJS.WritableStream,
  journalStream: string | undefined,
): ((line: string) => void) | undefined {
  return journalStream !== undefined && journalStream === streamOf(2) ? (line) => void stderr.write(line) : undefined;
}

function streamOf(descriptor: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(descriptor);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
