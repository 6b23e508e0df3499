import { join } from 'node:path';
import * as v from 'valibot';
import { WIPE_METHODS, type WipeMethod } from '../../core/order.ts';
import { parseJson } from '../collectors/parse-json.ts';
import { makeFolder } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { unlinkIfThere, writeAtomically } from '../write-atomically.ts';

const progress = v.strictObject({
  order: v.string(),
  method: v.picklist(WIPE_METHODS),
  /** the server was told what comes, or the time for that is over: whoever goes on after a crash does not wait again */
  told: v.boolean(),
  steps: v.pipe(v.array(v.string()), v.maxLength(1000)),
});
export type Progress = v.InferOutput<typeof progress>;

const LARGEST = 1024 * 1024;

function fileIn(folder: string): string {
  return join(folder, 'progress.json');
}

/** @returns how far this order came; undefined where it has not begun, or its file is damaged */
export async function readProgress(folder: string, order: string, method: WipeMethod): Promise<Progress | undefined> {
  const bytes = await readHostile(fileIn(folder), LARGEST).catch(() => undefined);
  const read = v.safeParse(progress, parseJson(bytes?.toString('utf8') ?? ''));
  return read.success && read.output.order === order && read.output.method === method ? read.output : undefined;
}

/** On disk when this returns. A disk that is full, or is no more, stops no wipe. */
export async function writeProgress(folder: string, content: Progress): Promise<void> {
  try {
    await makeFolder(folder, 0o700);
    await writeAtomically(fileIn(folder), `${JSON.stringify(content)}\n`, 0o600);
  } catch {
    // the next run begins again then: every step may be done twice
  }
}

export async function forgetProgress(folder: string): Promise<void> {
  await unlinkIfThere(fileIn(folder)).catch(() => undefined);
}
