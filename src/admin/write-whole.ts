import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf, OperatorError } from '../core/errors.ts';
import { syncFolder } from '../settings/atomic-write.ts';

/** A file too long for memory, 0600: under its name it is there whole, and on disk, or as it was. */
export async function writeWhole(file: string, write: (target: Writable) => Promise<void>): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomUUID()}.tmp`);
  const handle = await open(temporary, 'wx', 0o600).catch((cause: unknown) => {
    throw new OperatorError(`cannot write ${file}: ${messageOf(cause)}`, { cause });
  });
  try {
    try {
      await write(createWriteStream(temporary, { fd: handle.fd, autoClose: false }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(file));
}
