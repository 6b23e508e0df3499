import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../core/errors.ts';
import { makeFolder, type Places } from '../places.ts';
import { listHostile, readHostile } from '../read-hostile.ts';
import { syncFolder, unlinkIfThere, writeAtomically } from '../write-atomically.ts';
import type { SpooledReports } from './read-reports.ts';
import { badFile, idIn, MOST_FILES, reportFile, type SpooledReport } from './report.ts';

const refusal = v.object({ reason: v.pipe(v.string(), v.maxLength(4096)) });
const LARGEST_ACK = 64 * 1024;
const MOST_ASIDE = 100;

type Where = Pick<Places, 'spool' | 'acks'>;

/**
 * Does to the spool what the submitter's acks say: an acknowledged report goes, one that the server called malformed becomes `.bad`.
 * The acks are hostile: only ids of reports that wait here count, and nothing else of them is used as a name.
 * @returns the reports that still wait, and those that are bad now
 */
export async function settle(
  places: Where,
  { waiting, bad }: SpooledReports,
): Promise<Pick<SpooledReports, 'waiting' | 'bad'>> {
  const names = new Set(await listHostile(places.acks, MOST_FILES));
  const left: SpooledReport[] = [];
  const nowBad = [...bad];
  for (const report of waiting) {
    if (names.has(`${report.id}.ok`)) {
      await unlinkIfThere(join(places.spool.reports, reportFile(report.id)));
    } else if (names.has(badFile(report.id))) {
      await setBadAside(places, report);
      nowBad.push(report.id);
    } else {
      left.push(report);
    }
  }
  if (left.length < waiting.length) await syncFolder(places.spool.reports);
  return { waiting: left, bad: nowBad };
}

async function setBadAside({ spool, acks }: Where, report: SpooledReport): Promise<void> {
  const reason = await reasonIn(join(acks, badFile(report.id)));
  await writeAtomically(join(spool.reports, badFile(report.id)), `${JSON.stringify({ reason, report })}\n`, 0o640);
  await unlinkIfThere(join(spool.reports, reportFile(report.id)));
}

async function reasonIn(path: string): Promise<string> {
  try {
    const bytes = await readHostile(path, LARGEST_ACK);
    const parsed = v.safeParse(refusal, JSON.parse(bytes?.toString('utf8') ?? ''));
    return parsed.success ? parsed.output.reason : 'no reason given';
  } catch (error) {
    return messageOf(error);
  }
}

/** Moves what is torn, unreadable or not ours out of the way, keeping it for whoever wants to look. */
export async function setForeignAside(
  { spool }: Pick<Places, 'spool'>,
  foreign: SpooledReports['foreign'],
): Promise<void> {
  if (foreign.length === 0) return;
  await makeFolder(spool.aside, 0o700);
  let kept = (await listHostile(spool.aside, MOST_ASIDE)).length;
  for (const { name } of foreign) {
    if (kept++ < MOST_ASIDE) await rename(join(spool.reports, name), join(spool.aside, name));
    else await rm(join(spool.reports, name), { recursive: true, force: true });
  }
  await syncFolder(spool.reports);
}

/** Ids in the acks; the submitter clears those whose report has left the spool. */
export async function acknowledgedIds({ acks }: Pick<Places, 'acks'>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await listHostile(acks, MOST_FILES)) {
    const id = idIn(name, '.ok') ?? idIn(name, '.bad');
    if (id !== undefined) found.set(name, id);
  }
  return found;
}
