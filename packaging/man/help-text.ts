/** What stands behind the options in a command's --help, taken apart. */
export interface HelpText {
  /** each line as it is, without the two spaces before it */
  examples: string[];
  /** what the command itself says of its exit status */
  exitStatus: string | undefined;
  /** further lists: `Signals:` */
  lists: { heading: string; rows: { term: string; about: string }[] }[];
  paragraphs: string[];
}

export function readHelpText(text: string): HelpText {
  const read: HelpText = { examples: [], exitStatus: undefined, lists: [], paragraphs: [] };
  let rest = text.replaceAll('\r', '');
  // until the next line that is not indented: an example may have an empty line in it
  rest = rest.replace(/^Examples?:\n((?: {2}.*\n?|\n(?= {2}))*)/m, (_all, lines: string) => {
    read.examples.push(
      ...lines
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/^ {2}/, '')),
    );
    return '\n';
  });
  for (const part of rest.split(/\n\s*\n/)) {
    const trimmed = part.trim();
    const [heading = '', ...lines] = trimmed.split('\n');
    if (trimmed === '') continue;
    if (/^Exit status: /.test(trimmed)) read.exitStatus = trimmed.replace(/^Exit status: /, '');
    else if (/^[A-Z][a-z ]+:$/.test(heading) && lines.length > 0) {
      read.lists.push({ heading: heading.slice(0, -1), rows: lines.map(rowOf) });
    } else read.paragraphs.push(trimmed);
  }
  return read;
}

function rowOf(line: string): { term: string; about: string } {
  const [, term = line.trim(), about = ''] = /^\s*(\S.*?)\s{2,}(.*)$/.exec(line) ?? [];
  return { term, about };
}
