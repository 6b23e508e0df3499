import { argument, bold, code, example, italic, prose } from './roff.ts';

/** What a manual page says; write.ts sets it. */
export interface Page {
  /** `penguindome-hosts-list` */
  name: string;
  section: 1 | 8;
  /** one line, for whatis */
  about: string;
  /** how it is typed, such as `penguindome hosts list`, and what may stand behind it */
  synopsis: { command: string; rest: string };
  description: string[];
  commands: { name: string; about: string; page: string }[];
  options: { flags: string; about: string }[];
  /** further lists under headings of their own */
  lists: { heading: string; rows: { term: string; about: string }[] }[];
  exitStatus: { status: string; about: string }[];
  /** what the command itself says of its status */
  exitNote: string | undefined;
  examples: string[];
  files: { path: string; about: string }[];
  seeAlso: string[];
}

/** @param edition of all pages: the version, and the day as YYYY-MM-DD */
export function writePage(page: Page, edition: { version: string; day: string }): string {
  const { name, section, about } = page;
  const title = [name.toUpperCase(), String(section), `PenguinDome ${edition.version}`, 'PenguinDome'].map(argument);
  // the day is read by formatters, as it is
  title.splice(2, 0, `"${edition.day.replace(/[^0-9-]/g, '')}"`);
  const lines = [
    '.\\" made by npm run man from what the program itself says; do not change it here',
    `.TH ${title.join(' ')}`,
    '.SH NAME',
    `${prose(name)} \\- ${prose(about)}`,
    '.SH SYNOPSIS',
    `${bold(page.synopsis.command)} ${usage(page.synopsis.rest)}`.trim(),
    '.SH DESCRIPTION',
    ...paragraphs(page.description),
    ...list('COMMANDS', page.commands, ({ name: command, about: text, page: at }) => [
      bold(command),
      `${prose(text)}; see ${reference(at)}`,
    ]),
    ...list('OPTIONS', page.options, ({ flags, about: text }) => [usage(flags), prose(text)]),
    ...page.lists.flatMap(({ heading, rows }) =>
      list(heading.toUpperCase(), rows, ({ term, about: text }) => [bold(term), prose(text)]),
    ),
    ...list('EXIT STATUS', page.exitStatus, ({ status, about: text }) => [bold(status), prose(text)], page.exitNote),
    ...(page.examples.length === 0 ? [] : ['.SH EXAMPLES', ...example(page.examples)]),
    ...list('FILES', page.files, ({ path, about: text }) => [italic(path), prose(text)]),
    ...(page.seeAlso.length === 0 ? [] : ['.SH SEE ALSO', page.seeAlso.map(reference).join(', ')]),
  ];
  return `${lines.join('\n')}\n`;
}

export function fileOf({ name, section }: Pick<Page, 'name' | 'section'>): string {
  return `${name}.${section}`;
}

function list<T>(
  heading: string,
  rows: readonly T[],
  write: (row: T) => [term: string, text: string],
  note?: string,
): string[] {
  if (rows.length === 0) return [];
  const title = heading.includes(' ') ? argument(heading) : code(heading);
  const before = note === undefined ? [] : paragraphs([note]);
  return [`.SH ${title}`, ...before, ...rows.flatMap((row) => ['.TP', ...write(row)])];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, index) => [
    ...(index === 0 ? [] : ['.PP']),
    ...text.split('\n').map((line) => prose(line.trim())),
  ]);
}

/** `-V, --version`, `--limit <n>`, `[options] <host>`: what is typed in bold, what stands for something in italics. */
function usage(text: string): string {
  return text
    .split(/(<[^>]*>|\[[^\]]*\]|--?[A-Za-z][A-Za-z0-9-]*)/)
    .map((part) => {
      if (part.startsWith('<')) return italic(part.slice(1, -1));
      if (part.startsWith('[')) return `[${italic(part.slice(1, -1))}]`;
      return part.startsWith('-') ? bold(part) : prose(part);
    })
    .join('');
}

/** `penguindome-server.8` → penguindome-server(8) */
function reference(file: string): string {
  const [, name = file, section = ''] = /^(.*)\.(\d)$/.exec(file) ?? [];
  return `${bold(name)}(${section})`;
}
