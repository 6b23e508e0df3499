/** Text as man(7) wants it. What roff would act on is escaped here and nowhere else. */

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
  '"': '\\(dq',
  '-': '\\-',
};

/** What is typed or is on a disk: every character is to come out as it is, so that it can be copied. */
export function code(text: string): string {
  return guardLine([...text].map((character) => SPECIAL[character] ?? plain(character)).join(''));
}

/** Prose: quotation marks and hyphens stay what they are in the reader's typography; `code` in backticks is set in bold. */
export function prose(text: string): string {
  const parts = text.split(/(`[^`]+`)/);
  return guardLine(
    parts
      .map((part) =>
        part.length > 1 && part.startsWith('`')
          ? bold(part.slice(1, -1))
          : [...part]
              .map((character) => (character === '\\' ? '\\e' : character === '-' ? '\\-' : plain(character)))
              .join(''),
      )
      .join(''),
  );
}

export function bold(text: string): string {
  return `\\fB${code(text)}\\fR`;
}

export function italic(text: string): string {
  return `\\fI${code(text)}\\fR`;
}

/** In quotation marks, as an argument of a macro. */
export function argument(text: string): string {
  return `"${code(text)}"`;
}

/** Lines under each other as they are. */
export function example(lines: readonly string[]): string[] {
  return ['.EX', ...lines.map((line) => (line === '' ? '\\&' : code(line))), '.EE'];
}

/** Outside ASCII by its number, which every formatter knows; a control character is nothing that a page can show. */
function plain(character: string): string {
  const number = character.codePointAt(0) ?? 0;
  if (number < 0x20 || number === 0x7f) return ' ';
  return number < 0x7f ? character : `\\[u${number.toString(16).toUpperCase().padStart(4, '0')}]`;
}

/** A line that begins with one of these would be taken for a request. */
function guardLine(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}
