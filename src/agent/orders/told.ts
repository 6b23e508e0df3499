import { join } from 'node:path';
import * as v from 'valibot';
import type { Places } from '../places.ts';
import { readHostile } from '../read-hostile.ts';
import { writeAtomically } from '../write-atomically.ts';
import { TOLD } from './inbox.ts';

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** inbox/told.json: what the server has on disk of this host's reports (number of the newest, by order) and receipts. */
const told = v.object({
  /** of the store that has it: one that was restored may lack what it had */
  epoch: v.optional(v.string()),
  reports: v.optional(v.record(v.string(), count), {}),
  receipts: v.optional(count, 0),
  /** of results/known.json, when there was nothing more to tell */
  version: v.optional(count),
});
export type Told = v.InferOutput<typeof told>;

const NOTHING: Told = { reports: {}, receipts: 0 };
const LARGEST = 4 * 1024 * 1024;

/** Written by the submitter, and read as hostile: who lies there loses no more than what he could have kept from the server anyway. */
export async function readTold({ inbox }: Pick<Places, 'inbox'>): Promise<Told> {
  try {
    const bytes = await readHostile(join(inbox, TOLD), LARGEST);
    const parsed = v.safeParse(told, JSON.parse(bytes?.toString('utf8') ?? '{}'));
    return parsed.success ? parsed.output : NOTHING;
  } catch {
    return NOTHING;
  }
}

export async function writeTold({ inbox }: Pick<Places, 'inbox'>, content: Told): Promise<void> {
  await writeAtomically(join(inbox, TOLD), `${JSON.stringify(content)}\n`, 0o600);
}
