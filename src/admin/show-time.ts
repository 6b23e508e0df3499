import { days, hours, type Milliseconds, minutes } from '../core/duration.ts';

/** To the minute, UTC: `2026-03-02 10:00Z`. */
export function showTime(time: Date | undefined): string {
  return time === undefined ? '-' : `${time.toISOString().slice(0, 16).replace('T', ' ')}Z`;
}

/** How long ago, roughly: `5m ago`. */
export function showAge(time: Date | undefined, now: Date): string {
  if (time === undefined) return 'never';
  const age = now.getTime() - time.getTime();
  return age < 0 ? 'in the future' : `${roughly(age)} ago`;
}

/** How long until then, roughly: `in 3d`. */
export function showWait(time: Date, now: Date): string {
  const wait = time.getTime() - now.getTime();
  return wait <= 0 ? 'now' : `in ${roughly(wait)}`;
}

function roughly(duration: Milliseconds): string {
  if (duration >= days(2)) return `${Math.floor(duration / days(1))}d`;
  if (duration >= hours(2)) return `${Math.floor(duration / hours(1))}h`;
  return duration >= minutes(1) ? `${Math.floor(duration / minutes(1))}m` : `${Math.floor(duration / 1000)}s`;
}
