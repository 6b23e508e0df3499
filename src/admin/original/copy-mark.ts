import { join } from 'node:path';
import * as z from 'zod';
import { OperatorError } from '../../core/errors.ts';
import type { FileOwner } from '../../settings/atomic-write.ts';
import { readIfThere, writeNew } from '../ensure-files.ts';
import { EXIT } from '../exit-codes.ts';

const copyMark = z.object({
  /** of the store, once everything is in it: it changes with the copy, in one transaction */
  epoch: z.string(),
  from: z.string(),
  finished: z.boolean(),
});

/** Outside the store: what was meant to be copied, and whether it was. */
export type CopyMark = z.output<typeof copyMark>;

const fileOf = (state: string) => join(state, 'original-copy.json');

export async function readCopyMark(state: string): Promise<CopyMark | undefined> {
  const file = fileOf(state);
  const text = await readIfThere(file);
  if (text === undefined) return undefined;
  try {
    return copyMark.parse(JSON.parse(text));
  } catch (cause) {
    throw new OperatorError(`cannot tell from ${file} whether the original's database was copied; move it away`, {
      exitCode: EXIT.notSetUp,
      cause,
    });
  }
}

export function writeCopyMark(state: string, mark: CopyMark, owner: FileOwner): Promise<void> {
  return writeNew(fileOf(state), `${JSON.stringify(mark)}\n`, 0o640, owner);
}
