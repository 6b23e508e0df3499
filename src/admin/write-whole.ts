import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf, OperatorError } from '../core/errors.ts';
import { syncFolder } from '../settings/atomic-write.ts';

/** A file too long for memory, 0600: under its name it is there whole, and on disk, or as it was. */
export async function writeWhole(file: string, write: (target: Writable) => Promise<void>): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  // flush: synced before it is closed
  const target = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
  await once(target, 'open').catch((cause: unknown) => {
    throw new OperatorError(`cannot write ${file}: ${messageOf(cause)}`, { cause });
  });
  const closed = new Promise<void>((resolve) => target.once('close', () => resolve()));
  try {
    await write(target);
    await closed;
    await rename(temporary, file);
  } catch (error) {
    target.destroy();
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(file));
}
