/**
 * Which of two of pacman's versions is the newer, `[EPOCH:]VERSION[-RELEASE]`, as alpm decides it (pacman, lib/libalpm/version.c) and
 * vercmp(8) tells. Releases count only where both have one.
 * @returns below 0 where `a` is older, 0 where neither is, above 0 where `a` is newer
 */
export function vercmp(a: string, b: string): number {
  if (a === b) return 0;
  const [one, two] = [split(a), split(b)];
  const ordered = compare(one.epoch, two.epoch) || compare(one.version, two.version);
  if (ordered !== 0 || one.release === undefined || two.release === undefined) return ordered;
  return compare(one.release, two.release);
}

/** The epoch ends at the first colon, where digits alone stand before it; the release begins after the last dash. */
function split(text: string): { epoch: string; version: string; release: string | undefined } {
  const digits = /^\d*/.exec(text)?.[0] ?? '';
  const hasEpoch = text[digits.length] === ':';
  const rest = hasEpoch ? text.slice(digits.length + 1) : text;
  const dash = rest.lastIndexOf('-');
  return {
    epoch: hasEpoch && digits !== '' ? digits : '0',
    version: dash === -1 ? rest : rest.slice(0, dash),
    release: dash === -1 ? undefined : rest.slice(dash + 1),
  };
}

const isDigit = (char: string | undefined) => char !== undefined && /^[0-9]$/.test(char);
const isLetter = (char: string | undefined) => char !== undefined && /^[A-Za-z]$/.test(char);
const isWord = (char: string | undefined) => isDigit(char) || isLetter(char);

/** alpm's rpmvercmp: segments of digits or of letters, between separators of which only the number counts. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  let [one, two] = [0, 0];
  while (one < a.length && two < b.length) {
    const starts = [skip(a, one, (char) => !isWord(char)), skip(b, two, (char) => !isWord(char))] as const;
    if (starts[0] === a.length || starts[1] === b.length) {
      [one, two] = starts;
      break;
    }
    const separators = Math.sign(starts[0] - one - (starts[1] - two));
    if (separators !== 0) return separators;
    const isNumber = isDigit(a[starts[0]]);
    const kind = isNumber ? isDigit : isLetter;
    [one, two] = [skip(a, starts[0], kind), skip(b, starts[1], kind)];
    const segments = [a.slice(starts[0], one), b.slice(starts[1], two)] as const;
    // The one is of digits and the other of letters: digits are newer.
    if (segments[1] === '') return isNumber ? 1 : -1;
    const ordered = isNumber ? compareNumbers(...segments) : compareTexts(...segments);
    if (ordered !== 0) return ordered;
  }
  return compareEnds(a.slice(one), b.slice(two));
}

/** Where one is at its end: letters that are left make it older (1.0rc before 1.0), anything else newer. */
function compareEnds(a: string, b: string): number {
  if (a === '' && b === '') return 0;
  return (a === '' && !isLetter(b[0])) || isLetter(a[0]) ? -1 : 1;
}

function skip(text: string, from: number, while_: (char: string | undefined) => boolean): number {
  let at = from;
  while (at < text.length && while_(text[at])) at += 1;
  return at;
}

/** However many digits: the longer is the larger, without zeros in front. */
function compareNumbers(a: string, b: string): number {
  const [one, two] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')];
  return Math.sign(one.length - two.length) || compareTexts(one, two);
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
