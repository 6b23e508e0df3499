import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../core/errors.ts';
import { listDigest } from '../../wire/v2/digest.ts';
import type { Places } from '../places.ts';
import { listHostile, readHostile } from '../read-hostile.ts';
import { TEMPORARY } from '../write-atomically.ts';
import { idIn, LARGEST_REPORT, MOST_FILES, type SpooledReport, spooledReport } from './report.ts';

export interface SpooledReports {
  /** in the order of their collection */
  waiting: SpooledReport[];
  /** ids of reports that the server called malformed */
  bad: string[];
  /** files that are torn, unreadable or not ours */
  foreign: { name: string; reason: string }[];
}

/** Reads what waits in the spool. A file that is no report of ours is told, and stops nothing. */
export async function readReports({ spool }: Pick<Places, 'spool'>): Promise<SpooledReports> {
  const found: SpooledReports = { waiting: [], bad: [], foreign: [] };
  for (const name of await listHostile(spool.reports, MOST_FILES)) {
    if (name.startsWith(TEMPORARY)) continue;
    const bad = idIn(name, '.bad');
    if (bad !== undefined) {
      found.bad.push(bad);
      continue;
    }
    const report = await readReport(join(spool.reports, name), idIn(name, '.json'));
    if (report === undefined) continue;
    if (typeof report === 'string') found.foreign.push({ name, reason: report });
    else found.waiting.push(report);
  }
  found.waiting.sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1));
  return found;
}

/** @returns the report, why it is none, or undefined where it has gone meanwhile */
async function readReport(path: string, id: string | undefined): Promise<SpooledReport | string | undefined> {
  if (id === undefined) return 'not a name that a report has';
  try {
    const bytes = await readHostile(path, LARGEST_REPORT);
    if (bytes === undefined) return undefined;
    const parsed = v.safeParse(spooledReport, JSON.parse(bytes.toString('utf8')));
    if (!parsed.success) return 'not what a report holds';
    if (parsed.output.id !== id) return 'another report than its name says';
    if (listDigest(parsed.output.list) !== parsed.output.digest) return 'its digest is not that of its list';
    return parsed.output;
  } catch (error) {
    return messageOf(error);
  }
}
