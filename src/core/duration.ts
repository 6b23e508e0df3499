/** Milliseconds. Durations are named where they are used: `const LEASE = minutes(5)`. */
export type Milliseconds = number;

export const seconds = (count: number): Milliseconds => count * 1000;
export const minutes = (count: number): Milliseconds => seconds(count * 60);
export const hours = (count: number): Milliseconds => minutes(count * 60);
export const days = (count: number): Milliseconds => hours(count * 24);

const UNITS = { s: seconds, m: minutes, h: hours, d: days };

/** Reads `90s`, `10m`, `4h` or `7d`. @returns undefined where the text is not such a duration */
export function parseDuration(text: string): Milliseconds | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  if (match === null) return undefined;
  const [, count, unit] = match;
  return unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? UNITS[unit](Number(count)) : undefined;
}

/** The shortest exact way to write a duration of whole seconds: 5400000 is `90m`. */
export function formatDuration(duration: Milliseconds): string {
  for (const unit of ['d', 'h', 'm'] as const) {
    if (duration !== 0 && duration % UNITS[unit](1) === 0) return `${duration / UNITS[unit](1)}${unit}`;
  }
  return `${Math.round(duration / 1000)}s`;
}
