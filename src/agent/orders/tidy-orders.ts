import { join } from 'node:path';
import { days } from '../../core/duration.ts';
import { isSettled } from '../../core/order.ts';
import { MOST_HELD } from '../../wire/v2/order-messages.ts';
import type { Places } from '../places.ts';
import { listHostile } from '../read-hostile.ts';
import { syncFolder, unlinkIfThere, writeAtomically } from '../write-atomically.ts';
import { listFolders, readKept, removeFolder } from './order-folder.ts';
import { readReport, reportFile } from './results.ts';
import { pruneSeen, type Seen, writeSeen } from './seen.ts';
import { readTold } from './told.ts';

const MOST_REPORTS = 20_000;
/** A report that nobody could be told stays as long as an order may count. */
const LONGEST_UNTOLD = days(90);

/**
 * Removes what has done its work: folders of settled orders (of what failed until the order expires), what commands wrote once the server has
 * it, reports once their orders have expired, ids that would be refused as expired anyway.
 * @param now by this host's clock, as reports are dated; `latest` by the best that there is; `signed` the latest that was seen signed: a clock that
 * goes ahead for a while must not make anything be forgotten that counts again afterwards
 * @returns ids of orders that are not settled, and of those that the server need not send again
 */
export async function tidyOrders(
  places: Places,
  seen: Seen,
  { now, latest, signed }: { now: Date; latest: Date; signed: Date },
): Promise<{ open: string[]; held: string[] }> {
  const open: string[] = [];
  const wantsSignatures = new Set<string>();
  const folders = new Set(await listFolders(places));
  for (const id of folders) {
    const report = await readReport(places, id);
    const until = seen.ids[id]?.until;
    const isOver = until === undefined || Date.parse(until) <= latest.getTime();
    if (report === undefined || !isSettled(report.state)) {
      open.push(id);
      const kept = await readKept(places, id).catch(() => undefined);
      if (kept?.judged.state === 'waiting' && kept.judged.for === 'signatures') wantsSignatures.add(id);
    } else if (report.state !== 'failed' || isOver) {
      await removeFolder(places, id);
      folders.delete(id);
    }
  }
  const left = pruneSeen(seen, signed, (id) => folders.has(id));
  const isShorter = (list: 'ids' | 'refused') => Object.keys(left[list]).length < Object.keys(seen[list]).length;
  if (isShorter('ids') || isShorter('refused')) await writeSeen(places, left);
  await tidyReports(places, left, folders, now);
  const held = Object.keys(left.ids).filter((id) => !wantsSignatures.has(id));
  return { open, held: held.sort().slice(-MOST_HELD) };
}

async function tidyReports(places: Places, seen: Seen, folders: ReadonlySet<string>, now: Date): Promise<void> {
  const told = await readTold(places);
  let removed = false;
  for (const name of await listHostile(places.results, MOST_REPORTS)) {
    const id = /^([0-9a-f-]{36})\.json$/.exec(name)?.[1];
    if (id === undefined || folders.has(id)) continue;
    const report = await readReport(places, id);
    if (report === undefined) continue;
    const isTold = (told.reports[id] ?? 0) >= report.number;
    const isOld = now.getTime() - Date.parse(report.at) > LONGEST_UNTOLD;
    if (isOld || (isTold && !Object.hasOwn(seen.ids, id))) {
      await unlinkIfThere(join(places.results, name));
      removed = true;
    } else if (isTold && (report.stdout !== undefined || report.stderr !== undefined)) {
      const { stdout: _, stderr: __, ...rest } = report;
      await writeAtomically(reportFile(places, id), `${JSON.stringify(rest)}\n`, 0o640);
    }
  }
  if (removed) await syncFolder(places.results);
}
