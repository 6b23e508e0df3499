import { type Entry, readEntry } from './entry.ts';

/** The entries of a log, in the order in which they stand there; what is none is left out (verify.ts names it). */
export function readEntries(text: string): Entry[] {
  return text.split('\n').flatMap((line) => readEntry(line)?.entry ?? []);
}
