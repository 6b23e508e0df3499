import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { Places } from '../places.ts';
import { listHostile, readHostile } from '../read-hostile.ts';
import { syncFolder, TEMPORARY, unlinkIfThere } from '../write-atomically.ts';
import { badFile, LARGEST_REPORT, MOST_FILES, reportFile, type SpooledReport, spooledReport } from './report.ts';

type Where = Pick<Places, 'spool'>;

interface Held {
  file: string;
  bytes: number;
  digests: Set<string>;
  /** undefined: a bad one */
  report: SpooledReport | undefined;
}

/**
 * Keeps the spool below its size: bad reports go first, then the oldest; the newest always stays.
 * Then removes all bodies that no report left, and not the newest one either, is made of.
 * @returns the waiting reports that had to go
 */
export async function trim(
  places: Where,
  content: { waiting: readonly SpooledReport[]; bad: readonly string[]; newest: Record<string, string> | undefined },
  maxSize: number,
): Promise<SpooledReport[]> {
  const sizes = await bodySizes(places);
  const held = [...(await heldBad(places, content.bad)), ...(await heldWaiting(places, content.waiting))];
  const users = new Map<string, number>();
  const use = (digest: string, count: number) => users.set(digest, (users.get(digest) ?? 0) + count);
  for (const digest of Object.values(content.newest ?? {})) use(digest, 1);
  for (const { digests } of held) for (const digest of digests) use(digest, 1);
  let total = held.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const digest of users.keys()) total += sizes.get(digest) ?? 0;
  const gone: Held[] = [];
  while (held.length > 1 && total > maxSize) {
    const first = held.shift();
    if (first === undefined) break;
    gone.push(first);
    total -= first.bytes;
    for (const digest of first.digests) {
      use(digest, -1);
      if (users.get(digest) === 0) total -= sizes.get(digest) ?? 0;
    }
  }
  for (const { file } of gone) await unlinkIfThere(join(places.spool.reports, file));
  if (gone.length > 0) await syncFolder(places.spool.reports);
  for (const name of sizes.keys()) {
    if ((users.get(name) ?? 0) === 0) await rm(join(places.spool.bodies, name), { recursive: true, force: true });
  }
  return gone.flatMap(({ report }) => (report === undefined ? [] : [report]));
}

/** Removes what a killed collector left unfinished. */
export async function sweep({ spool }: Where): Promise<void> {
  for (const folder of [spool.root, spool.reports, spool.bodies]) {
    for (const name of await listHostile(folder, MOST_FILES)) {
      if (name.startsWith(TEMPORARY)) await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

async function bodySizes({ spool }: Where): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await listHostile(spool.bodies, MOST_FILES)) {
    sizes.set(name, await sizeOf(join(spool.bodies, name)));
  }
  return sizes;
}

async function heldWaiting({ spool }: Where, waiting: readonly SpooledReport[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const report of waiting) {
    const file = reportFile(report.id);
    const bytes = await sizeOf(join(spool.reports, file));
    held.push({ file, bytes, digests: new Set(Object.values(report.list)), report });
  }
  return held;
}

const badContent = v.object({ report: spooledReport });

async function heldBad({ spool }: Where, bad: readonly string[]): Promise<Held[]> {
  const held: Held[] = [];
  for (const id of bad) {
    const file = badFile(id);
    const path = join(spool.reports, file);
    held.push({ file, bytes: await sizeOf(path), digests: new Set(await digestsIn(path)), report: undefined });
  }
  return held;
}

async function digestsIn(path: string): Promise<string[]> {
  try {
    const bytes = await readHostile(path, LARGEST_REPORT * 2);
    const parsed = v.safeParse(badContent, JSON.parse(bytes?.toString('utf8') ?? ''));
    return parsed.success ? Object.values(parsed.output.report.list) : [];
  } catch {
    return [];
  }
}

/** Of the file itself, whatever it is. */
async function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
