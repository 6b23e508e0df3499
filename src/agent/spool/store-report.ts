import { join } from 'node:path';
import type { Digest } from '../../core/host.ts';
import { digestOfText, listDigest } from '../../wire/v2/digest.ts';
import type { Places } from '../places.ts';
import { writeAllAtomically, writeAtomically } from '../write-atomically.ts';
import { readBody } from './read-body.ts';
import { reportFile, type SpooledReport } from './report.ts';

/** What was collected: body name (`plugins.NAME`) → canonical JSON. */
export type Bodies = ReadonlyMap<string, string>;

export interface NewReport {
  id: string;
  number: number;
  collectedAt: Date;
  bodies: Bodies;
}

/** Bodies first, the report last: a report that is there has all of its bodies. Each body is held once. */
export async function storeReport(places: Pick<Places, 'spool'>, report: NewReport): Promise<SpooledReport> {
  const spooled = describeReport(report);
  const missing = new Map<Digest, string>();
  for (const text of report.bodies.values()) {
    const digest = digestOfText(text);
    if ((await readBody(places, digest)) === undefined) missing.set(digest, text);
  }
  await writeAllAtomically(
    places.spool.bodies,
    [...missing].map(([name, data]) => ({ name, data })),
    0o640,
  );
  await writeAtomically(join(places.spool.reports, reportFile(report.id)), `${JSON.stringify(spooled)}\n`, 0o640);
  return spooled;
}

export function describeReport({ id, number, collectedAt, bodies }: NewReport): SpooledReport {
  const list = Object.fromEntries([...bodies].map(([name, text]) => [name, digestOfText(text)]));
  return { id, number, collected_at: collectedAt.toISOString(), digest: listDigest(list), list };
}
