import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../core/errors.ts';
import type { Left, OutsideName } from '../collector.ts';
import { printable } from '../context.ts';
import { readHostile } from '../read-hostile.ts';
import { unlinkIfThere, writeAtomically } from '../write-atomically.ts';

/** Bytes. The largest answer, a place, has some hundred. */
export const LARGEST_LEFT = 64 * 1024;
const LONGEST_REASON = 500;

const time = v.pipe(v.string(), v.isoTimestamp());

/** What whoever asks outside leaves of one fact in `online/NAME.json`. */
const record = v.strictObject({
  /** when somebody was last asked */
  tried_at: time,
  /** why nobody answered then */
  failure: v.optional(v.string()),
  /** the last answer, and when it came */
  answer: v.optional(v.strictObject({ at: time, value: v.unknown() })),
});
export type LeftRecord = v.InferOutput<typeof record>;

const FOLLOW = '; see systemctl status penguindome-collect-online.timer, penguindome-collect-online.service';

/**
 * What may be told of a fact. The file is another user's, who may have been taken over: it is nothing but a regular file of a few bytes, in one
 * form, and never older than `oldest` milliseconds or of a time to come.
 * Reasons are the same each time: they are reported.
 */
export async function readLeft(
  folder: string,
  name: OutsideName,
  { now, oldest }: { now: Date; oldest: number },
): Promise<Left> {
  let left: LeftRecord | undefined;
  try {
    left = await readRecord(folder, name);
  } catch (error) {
    return { reason: `what was asked outside cannot be used: ${messageOf(error)}` };
  }
  if (left === undefined) return { reason: `nobody has asked outside yet${FOLLOW}` };
  const { answer, failure } = left;
  const age = answer === undefined ? -1 : now.getTime() - new Date(answer.at).getTime();
  if (answer !== undefined && age >= 0 && age <= oldest) return { at: new Date(answer.at), value: answer.value };
  if (failure !== undefined) return { reason: printable(failure).slice(0, LONGEST_REASON) };
  return { reason: `what was asked outside is not of late${FOLLOW}` };
}

/** @returns undefined where there is none @throws where it is not what we would have written */
export async function readRecord(folder: string, name: OutsideName): Promise<LeftRecord | undefined> {
  const file = join(folder, `${name}.json`);
  const bytes = await readHostile(file, LARGEST_LEFT);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new Error(`${file} is no JSON`);
  }
  const parsed = v.safeParse(record, value);
  if (!parsed.success) throw new Error(`${file} is not what penguindome-agent collect-online writes`);
  return parsed.output;
}

export async function writeRecord(folder: string, name: OutsideName, content: LeftRecord): Promise<void> {
  await writeAtomically(join(folder, `${name}.json`), `${JSON.stringify(content)}\n`, 0o640);
}

/** What is not asked for any more lies nowhere any more. */
export async function forgetRecord(folder: string, name: OutsideName): Promise<void> {
  await unlinkIfThere(join(folder, `${name}.json`));
}
