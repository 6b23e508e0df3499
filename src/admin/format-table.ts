import { harmless } from './harmless.ts';
import { splitColors, textWidth, wrapText } from './text-width.ts';

const GAP = '  ';
/** A column that has given way is still this wide, where the terminal has room for it. */
const NARROWEST = 8;

/**
 * Rows under headings, in columns, as lines. Where they are wider than `width` the widest columns wrap:
 * first those with words in them, then also ids and the like.
 * @param heading how a heading is made to stand out
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  { width, heading, colors }: { width: number; heading: (text: string) => string; colors: boolean },
): string[] {
  const cells = rows.map((row) => headings.map((_, column) => readCell(row[column] ?? '', colors)));
  const natural = headings.map((name, column) =>
    Math.max(textWidth(name), ...cells.map((row) => textWidth(row[column]?.text ?? ''))),
  );
  const words = headings.map((name, column) =>
    Math.max(textWidth(name), ...cells.flatMap((row) => (row[column]?.text ?? '').split(' ').map(textWidth))),
  );
  const room = width - GAP.length * (headings.length - 1);
  const widths = shrink(
    shrink(natural, words, room),
    headings.map(() => NARROWEST),
    room,
  );
  return [headings.map((text) => ({ text, before: '', after: '' })), ...cells].flatMap((row, index) =>
    layOut(row, widths).map((line) => (index === 0 ? heading(line) : line)),
  );
}

interface Cell {
  text: string;
  /** colour around the whole cell, set again on each of its lines */
  before: string;
  after: string;
}

function readCell(cell: string, colors: boolean): Cell {
  const parts = splitColors(cell);
  const plain = parts.filter((_, index) => index % 2 === 0).map(harmless);
  const text = plain.join('');
  const codes = parts.filter((_, index) => index % 2 === 1);
  const wholly = colors && codes.length > 0 && plain[0] === '';
  return wholly ? { text, before: codes[0] ?? '', after: '\u001b[0m' } : { text, before: '', after: '' };
}

/** Takes from the widest column, again and again, until the sum fits or no column may give more. */
function shrink(widths: readonly number[], least: readonly number[], room: number): number[] {
  const shrunk = [...widths];
  for (let excess = sum(shrunk) - room; excess > 0; excess--) {
    const [widest] = shrunk
      .map((width, column) => ({ width, column }))
      .filter(({ width, column }) => width > (least[column] ?? 0))
      .sort((a, b) => b.width - a.width);
    if (widest === undefined) break;
    shrunk[widest.column] = widest.width - 1;
  }
  return shrunk;
}

function layOut(row: readonly Cell[], widths: readonly number[]): string[] {
  const wrapped = row.map((cell, column) => wrapText(cell.text, widths[column] ?? Number.POSITIVE_INFINITY));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    row
      .map((cell, column) => {
        const text = wrapped[column]?.[line] ?? '';
        const padding =
          column === row.length - 1 ? '' : ' '.repeat(Math.max(0, (widths[column] ?? 0) - textWidth(text)));
        return (text === '' ? '' : cell.before + text + cell.after) + padding;
      })
      .join(GAP)
      .replace(/ +$/, ''),
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
