import * as v from 'valibot';
import type { Digest } from '../../core/host.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const digest = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{64}$/),
  v.transform((text) => text as Digest),
);
export const reportId = v.pipe(v.string(), v.regex(UUID));
export const list = v.record(v.string(), digest);

/** One whole report as it waits: what it is made of, not the bodies themselves. Its id is that of its submission, too. */
export const spooledReport = v.object({
  id: reportId,
  /** order of collection; the clock, and with it the id, may jump back */
  number: v.pipe(v.number(), v.integer(), v.minValue(1)),
  collected_at: v.pipe(v.string(), v.isoTimestamp()),
  digest,
  list,
});
export type SpooledReport = v.InferOutput<typeof spooledReport>;

/** Bytes of one report file: it holds names and digests only. */
export const LARGEST_REPORT = 4 * 1024 * 1024;
/** Bytes of one body; what a collector says is capped well below. */
export const LARGEST_BODY = 16 * 1024 * 1024;
/** Files looked at in one folder. */
export const MOST_FILES = 100_000;

export const reportFile = (id: string): string => `${id}.json`;
export const badFile = (id: string): string => `${id}.bad`;

/** @returns the id in the name of a report (`.json`), of one set aside (`.bad`) or of an acknowledgement (`.ok`, `.bad`) */
export function idIn(name: string, extension: '.json' | '.bad' | '.ok'): string | undefined {
  if (!name.endsWith(extension)) return undefined;
  const id = name.slice(0, -extension.length);
  return UUID.test(id) ? id : undefined;
}
