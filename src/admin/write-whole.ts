import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { realpath, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { messageOf, OperatorError } from '../core/errors.ts';
import { syncFolder } from '../settings/atomic-write.ts';
import { statIfThere } from './ensure-files.ts';

/** A file too long for memory, 0600: under its name it is there whole, and on disk, or as it was. */
export async function writeWhole(name: string, write: (target: Writable) => Promise<void>): Promise<void> {
  const file = await placeOf(name);
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

/** A rename would put a file in the place of a device (/dev/null), or of the link that leads to the file. */
async function placeOf(file: string): Promise<string> {
  const there = await statIfThere(file);
  if (there === undefined) return file;
  if (there.isDirectory()) throw new OperatorError(`cannot write ${file}: it is a folder; name a file`);
  if (!there.isFile()) throw new OperatorError(`cannot write ${file}: it is no file; - means standard output`);
  return realpath(file);
}
