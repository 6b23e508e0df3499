/** Select Graphic Rendition: the only escape sequences that commands use, and only these. */
const COLOR = /\u001b\[(?:0|1|2|22|3[1-6]|39)m/g;

const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that the text takes on a terminal; colours take none. */
export function textWidth(text: string): number {
  // ASCII is what nearly all is: one column each
  const plain = withoutColors(text);
  if (/^[\u0020-\u007e]*$/.test(plain)) return plain.length;
  return graphemes(plain).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** Breaks plain text into lines of at most `width` columns: between words where it can, inside one where it must. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (textWidth(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = breakWord(word, width);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

export function withoutColors(text: string): string {
  return text.replace(COLOR, '');
}

/** Splits text into colours (odd places) and what stands between them (even places). */
export function splitColors(text: string): string[] {
  return text.split(/(\u001b\[(?:0|1|2|22|3[1-6]|39)m)/);
}

function breakWord(word: string, width: number): string[] {
  const pieces = [''];
  for (const grapheme of graphemes(word)) {
    const last = pieces.at(-1) ?? '';
    if (last !== '' && textWidth(last) + graphemeWidth(grapheme) > width) pieces.push(grapheme);
    else pieces[pieces.length - 1] = last + grapheme;
  }
  return pieces;
}

function graphemes(text: string): string[] {
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

function graphemeWidth(grapheme: string): number {
  if (NO_WIDTH.test(grapheme)) return 0;
  return WIDE.test(grapheme) ? 2 : 1;
}
