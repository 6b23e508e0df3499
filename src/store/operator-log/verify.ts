import { BEGINNING, type Entry, readEntry } from './entry.ts';
import type { Head } from './head.ts';

/** What is wrong with the log, and where. */
export interface Finding {
  /** from 1; of what is missing at the end: that of the last line there is */
  line: number;
  kind: 'changed' | 'missing' | 'moved' | 'inserted' | 'cut-off' | 'replaced';
  /** what is wrong there, as an operator reads it */
  text: string;
}

export interface Verified {
  entries: number;
  findings: Finding[];
  /** what is no sign of tampering, and good to know */
  remarks: string[];
}

interface Line {
  line: number;
  entry: Entry | undefined;
  intact: boolean;
}

/** Looks at every line, at the chain that they make, and at the end as the head knows it. */
export function verifyLog(text: string, head: Head | undefined): Verified {
  const whole = text.split('\n');
  const tail = whole.pop() ?? '';
  const lines = whole.map((each, index): Line => {
    const read = readEntry(each);
    return { line: index + 1, entry: read?.entry, intact: read?.intact === true };
  });
  const remarks: string[] = [];
  // only the end of the line is missing: a crash's work, which the next command puts right
  const unclosed = tail === '' ? undefined : readEntry(tail);
  if (unclosed?.intact === true) lines.push({ line: lines.length + 1, entry: unclosed.entry, intact: true });
  else if (tail !== '')
    remarks.push(`line ${lines.length + 1} is half a line, as a crash leaves it; the next command takes it away`);
  if (head === undefined && lines.length > 0)
    remarks.push('there is no head: lines that were cut off at the end cannot be seen');
  const findings = [...changedLines(lines), ...brokenChain(lines), ...noticedBefore(lines), ...wrongEnd(lines, head)];
  return { entries: lines.length, findings: findings.sort((a, b) => a.line - b.line), remarks };
}

function changedLines(lines: readonly Line[]): Finding[] {
  return lines
    .filter(({ intact }) => !intact)
    .map(({ line, entry }) => ({
      line,
      kind: 'changed',
      text:
        entry === undefined
          ? 'it is no entry: it was changed'
          : `entry ${entry.number} does not fit its hash: it was changed`,
    }));
}

/** More of these say nothing new, and a log that was shuffled whole is not to keep anybody waiting. */
const MOST = 1000;

/** Numbers that are missing, twice or in the wrong order, and entries that do not follow the one before. */
function brokenChain(lines: readonly Line[]): Finding[] {
  const findings: Finding[] = [];
  const places = placesOf(lines);
  const forged = forgedLines(places);
  let last: { number: number; hash: string | undefined; line: number } = { number: 0, hash: BEGINNING, line: 0 };
  for (const each of lines) {
    if (findings.length >= MOST) break;
    const { line, entry } = each;
    if (entry === undefined) {
      // counted as the entry that stood there
      last = { number: last.number + 1, hash: undefined, line };
    } else if (forged.has(line)) {
      findings.push({ line, kind: 'inserted', text: `entry ${entry.number} is there twice: this line was inserted` });
    } else if (entry.number === last.number + 1) {
      if (last.hash !== undefined && entry.previous !== last.hash) {
        const text = `entry ${entry.number} does not follow line ${last.line}: one of the two is not what was written`;
        findings.push({ line, kind: 'replaced', text });
      }
      last = { number: entry.number, hash: each.intact ? entry.hash : undefined, line };
    } else if (entry.number > last.number) {
      findings.push(...gap(last, each, entry, places));
      last = { number: entry.number, hash: each.intact ? entry.hash : undefined, line };
    } else {
      findings.push({
        line,
        kind: 'moved',
        text: `entry ${entry.number} stands behind entry ${last.number}: it was moved`,
      });
    }
  }
  return findings;
}

/** Entries that are not where they should be: further down, or nowhere. */
function gap(
  last: { number: number; line: number },
  { line }: Line,
  entry: Entry,
  places: ReadonlyMap<number, Line[]>,
): Finding[] {
  const elsewhere = [...places.keys()]
    .filter((number) => number > last.number && number < entry.number)
    .sort((a, b) => a - b);
  const findings: Finding[] = elsewhere.slice(0, 1).map((number) => ({
    line,
    kind: 'moved',
    text: `entry ${entry.number} stands before entry ${number}: it was moved`,
  }));
  let next = last.number + 1;
  for (const number of [...elsewhere, entry.number]) {
    if (number > next) {
      const text = `${named(next, number - 1)} between line ${last.line} and this one: removed`;
      findings.push({ line, kind: 'missing', text });
    }
    next = number + 1;
  }
  return findings;
}

/** Of two entries with one number the true one is that which the next entry follows, or else the first. @returns the others' lines */
function forgedLines(places: ReadonlyMap<number, Line[]>): Set<number> {
  const forged = new Set<number>();
  for (const [number, same] of places) {
    if (same.length < 2) continue;
    const followed = new Set(places.get(number + 1)?.map(({ entry }) => entry?.previous));
    const good = same.find(({ entry, intact }) => intact && followed.has(entry?.hash)) ?? same[0];
    for (const each of same) if (each !== good) forged.add(each.line);
  }
  return forged;
}

function placesOf(lines: readonly Line[]): Map<number, Line[]> {
  const places = new Map<number, Line[]>();
  for (const each of lines) {
    if (each.entry === undefined) continue;
    const { number } = each.entry;
    places.set(number, [...(places.get(number) ?? []), each]);
  }
  return places;
}

/** What a command found wrong at the end when it came, and wrote down before it went on. */
function noticedBefore(lines: readonly Line[]): Finding[] {
  return lines.flatMap(({ line, entry }): Finding[] => {
    if (entry?.event !== 'noticed' || entry.what === 'torn' || entry.head === undefined) return [];
    const { count } = entry.head;
    const text =
      entry.what === 'cut-off'
        ? `${named(entry.number, count)} before this line: cut off, as the command found that came at ${entry.at.toISOString()}`
        : `the line before is not the entry ${count} that was written: replaced, as the command found that came at ${entry.at.toISOString()}`;
    return [{ line, kind: entry.what, text }];
  });
}

/** The head may lie behind the log (a crash between the two, or a command that may not write it), never before it. */
function wrongEnd(lines: readonly Line[], head: Head | undefined): Finding[] {
  if (head === undefined) return [];
  const { count, hash } = head;
  const known = lines.filter(({ entry }) => entry?.number === count);
  const line = lines.length;
  const last = lines.reduce((most, { entry }, index) => Math.max(most, entry?.number ?? index + 1), 0);
  if (last < count)
    return [{ line, kind: 'cut-off', text: `${named(last + 1, count)} behind this line: cut off at the end` }];
  if (known.length === 0 || known.some(({ entry, intact }) => entry?.hash === hash || !intact)) return [];
  const text = `entry ${count} is not the one that the head knows: it, or a line before it, was replaced and the hashes made anew`;
  return [{ line: known[0]?.line ?? line, kind: 'replaced', text }];
}

function named(first: number, last: number): string {
  return first === last ? `entry ${first} is missing` : `entries ${first} to ${last} are missing`;
}
