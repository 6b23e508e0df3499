import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { LARGEST_MANIFEST, type ManifestFile, type OrderDocument, readOrderDocument } from '../../wire/v2/order.ts';
import type { Places } from '../places.ts';
import { listHostile, readHostile } from '../read-hostile.ts';
import { syncFolder, TEMPORARY, writeAllAtomically, writeAtomically } from '../write-atomically.ts';
import { type Copied, copyInbox } from './inbox.ts';

/** orders/ID/judged.json */
const judged = v.object({
  state: v.picklist(['waiting', 'accepted']),
  /** why it waits */
  reason: v.optional(v.string()),
  for: v.optional(v.picklist(['time', 'signatures'])),
  /** who signed, in words */
  signed_by: v.string(),
  /** whether its receipt is written */
  recorded: v.boolean(),
});
export type Judged = v.InferOutput<typeof judged>;

const MOST_ORDERS = 10_000;
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Where = Pick<Places, 'orders' | 'inbox'>;

export function folderOf({ orders }: Pick<Places, 'orders'>, id: string): string {
  return join(orders.root, id);
}

/** Ids of the orders that have a folder here, oldest first. */
export async function listFolders({ orders }: Pick<Places, 'orders'>): Promise<string[]> {
  return (await listHostile(orders.root, MOST_ORDERS)).filter((name) => UUID.test(name));
}

/**
 * Copies an order and its files to a folder of the applier's own, all of it or nothing; synced.
 * @returns `missing` where a file has not come yet, `altered` where one is not what the manifest says
 */
export async function keepOrder(
  places: Where,
  { id, files }: { id: string; files: readonly ManifestFile[] },
  document: OrderDocument,
  verdict: Judged,
): Promise<Copied> {
  const temporary = join(places.orders.root, TEMPORARY + id);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(join(temporary, 'files'), { recursive: true, mode: 0o700 });
  const wanted = new Map(files.map((file) => [file.sha256, file]));
  for (const file of wanted.values()) {
    const copied = copyInbox(places, file, join(temporary, 'files', file.sha256));
    if (copied === 'copied') continue;
    rmSync(temporary, { recursive: true, force: true });
    return copied;
  }
  await syncFolder(join(temporary, 'files'));
  const content = [
    { name: 'order.json', data: `${JSON.stringify(document)}\n` },
    { name: 'judged.json', data: `${JSON.stringify(verdict)}\n` },
  ];
  await writeAllAtomically(temporary, content, 0o600);
  renameSync(temporary, folderOf(places, id));
  await syncFolder(places.orders.root);
  return 'copied';
}

/** @throws where what was written here is damaged */
export async function readKept(
  places: Pick<Places, 'orders'>,
  id: string,
): Promise<{ document: OrderDocument; judged: Judged }> {
  const folder = folderOf(places, id);
  const [order, verdict] = await Promise.all([
    readHostile(join(folder, 'order.json'), 2 * LARGEST_MANIFEST),
    readHostile(join(folder, 'judged.json'), 64 * 1024),
  ]);
  const read = readOrderDocument(order ?? new Uint8Array());
  if (!read.ok) throw new Error(`cannot use ${folder}: ${read.reason}`);
  const parsed = v.safeParse(judged, JSON.parse(verdict?.toString('utf8') ?? 'null'));
  if (!parsed.success) throw new Error(`cannot use ${folder}: judged.json is damaged`);
  return { document: read.value, judged: parsed.output };
}

export async function writeJudged(places: Pick<Places, 'orders'>, id: string, verdict: Judged): Promise<void> {
  await writeAtomically(join(folderOf(places, id), 'judged.json'), `${JSON.stringify(verdict)}\n`, 0o600);
}

/** The same order with further signatures. */
export async function writeDocument(
  places: Pick<Places, 'orders'>,
  id: string,
  document: OrderDocument,
): Promise<void> {
  await writeAtomically(join(folderOf(places, id), 'order.json'), `${JSON.stringify(document)}\n`, 0o600);
}

export async function removeFolder(places: Pick<Places, 'orders'>, id: string): Promise<void> {
  // First by its name: cut off here, nothing takes the rest for an order.
  const temporary = join(places.orders.root, TEMPORARY + id);
  rmSync(temporary, { recursive: true, force: true });
  renameSync(folderOf(places, id), temporary);
  rmSync(temporary, { recursive: true, force: true });
  await syncFolder(places.orders.root);
}
