import { days } from '../../core/duration.ts';
import { type HostAccess, UNKNOWN } from '../collector.ts';

export type Answer = boolean | typeof UNKNOWN;

/** The original's shape of `os_updates`. */
export interface Updates {
  /** a new release of the distribution is out */
  release: Answer;
  /** package data is younger than two days */
  current: Answer;
  /** updates wait */
  patches: Answer;
  /** security updates wait */
  security_patches: Answer;
  /** names, sorted */
  installed_packages: string[];
}

const FRESH = days(2);

/** @param at when the oldest part of the package data was last confirmed; undefined where there is no data */
export function isCurrent(host: HostAccess, at: Date | undefined): boolean {
  return at !== undefined && host.now().getTime() - at.getTime() < FRESH;
}

/** Old data that shows an update is right about it; old data that shows none says nothing. */
export function unlessStale(found: Answer, current: Answer): Answer {
  return found === false && current !== true ? UNKNOWN : found;
}

export function sortedNames(names: Iterable<string>): string[] {
  return [...new Set(names)].filter((name) => name !== '').sort();
}

export function earliest(dates: readonly Date[]): Date | undefined {
  return dates.reduce<Date | undefined>(
    (first, date) => (first === undefined || date < first ? date : first),
    undefined,
  );
}

export function latest(dates: readonly Date[]): Date | undefined {
  return dates.reduce<Date | undefined>((last, date) => (last === undefined || date > last ? date : last), undefined);
}
