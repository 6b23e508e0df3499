/** `sshd -T`: one keyword and its value a line; a keyword that may be given more than once is a line for each value. */
export function parseSshdConfig(output: string): Record<string, string | string[]> {
  const values = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const match = /^([a-z0-9]+)(?:[ \t]+(.*))?$/.exec(line.trimEnd());
    const [, keyword, value = ''] = match ?? [];
    if (keyword === undefined) continue;
    const before = values.get(keyword);
    // A copy for each line would take minutes for as much output as is read.
    if (before === undefined) values.set(keyword, [value]);
    else before.push(value);
  }
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([keyword, [only, ...more]]) => [
      keyword,
      more.length === 0 ? (only ?? '') : [only ?? '', ...more].sort(),
    ]),
  );
}

export interface Listener {
  /** as it was started; absolute, because sshd insists on that */
  program: string;
  /** those of its arguments that change the configuration */
  options: string[];
}

/**
 * Reads /proc/PID/cmdline of a process called sshd.
 * @returns undefined for what is no listener: a connection's process, or one that serves a single connection (`-i`)
 */
export function parseListener(commandLine: string): Listener | undefined {
  const words = commandLine.split(/[\0 ]+/).filter((word) => word !== '');
  // OpenSSH 8.2 and later write their title: `sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups`.
  const start = words[0] === 'sshd:' ? 1 : 0;
  const end = words.indexOf('[listener]');
  const [program, ...args] = words.slice(start, end === -1 ? undefined : end);
  if (program === undefined || !program.startsWith('/') || args.includes('-i')) return undefined;
  return { program, options: configOptions(args) };
}

/** `-f FILE`, `-o OPTION` and `-p PORT`; a title no longer shows where `-o "Port 22"` was one argument. */
function configOptions(args: readonly string[]): string[] {
  const options: string[] = [];
  for (const [index, arg] of args.entries()) {
    const match = /^-([fop])(.*)$/.exec(arg);
    const [, flag, joined] = match ?? [];
    if (flag === undefined || joined === undefined) continue;
    const rest = joined === '' ? args.slice(index + 1) : [joined, ...args.slice(index + 1)];
    const [value, next] = rest;
    if (value === undefined) continue;
    const spaced = flag === 'o' && !value.includes('=') && next !== undefined && !next.startsWith('-');
    options.push(`-${flag}`, spaced ? `${value} ${next}` : value);
  }
  return options;
}
