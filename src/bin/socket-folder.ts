import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, OperatorError } from '../core/errors.ts';

/** Of a socket's address (unix(7)), less what the writer adds to it for a moment. */
const LONGEST = 107 - 16;

/**
 * A folder that is nobody else's, with a place for a socket.
 * @param candidates folders to make it in: the first where the address is not too long
 */
export async function makeSocketFolder(
  candidates: string[],
): Promise<{ folder: string; socket: string; remove: () => Promise<void> }> {
  const parent = candidates.find(
    (each) => Buffer.byteLength(join(each, 'penguindome-server-XXXXXX/writer')) <= LONGEST,
  );
  if (parent === undefined) {
    throw new OperatorError(`cannot make a socket: the paths are too long (${candidates.join(', ')}); set TMPDIR`);
  }
  try {
    // mkdtemp(3) makes it 0700
    const folder = await mkdtemp(join(parent, 'penguindome-server-'));
    return { folder, socket: join(folder, 'writer'), remove: () => rm(folder, { recursive: true, force: true }) };
  } catch (cause) {
    throw new OperatorError(`cannot make a folder for a socket in ${parent}: ${messageOf(cause)}`, { cause });
  }
}
