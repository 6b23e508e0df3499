/** Severities by their number in `<N>` (sd-daemon(3), syslog(3)); only the first name of each is shown. */
const LEVELS: Readonly<Record<string, number>> = {
  emergency: 0,
  alert: 1,
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
};

export const LEVEL_NAMES: readonly string[] = Object.keys(LEVELS);

/** Lines that one run of a plugin may log, and characters of each. */
const MOST_LINES = 20;
const LONGEST = 500;

/** What a plugin writes to its standard error to log one line. @returns undefined where there is no such level */
export function logLine(level: string, message: string): string | undefined {
  const number = Object.hasOwn(LEVELS, level) ? LEVELS[level] : undefined;
  if (number === undefined) return undefined;
  return `<${number}>${message.replace(/\s+/g, ' ').trim().slice(0, LONGEST)}\n`;
}

/** The lines of a plugin's standard error that it wants to be told, in order: those that begin with `<0>` to `<7>`. */
export function loggedLines(stderr: string): string[] {
  const logged = stderr.split('\n').flatMap((line) => {
    const [, number, message] = /^<([0-7])>(.*)$/.exec(line) ?? [];
    if (number === undefined || message === undefined) return [];
    return [`${LEVEL_NAMES[Number(number)]}: ${message.slice(0, LONGEST)}`];
  });
  const left = logged.length - MOST_LINES;
  return left > 0 ? [...logged.slice(0, MOST_LINES), `warning: ${left} more lines are left out`] : logged;
}
