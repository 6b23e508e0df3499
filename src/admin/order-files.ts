import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { messageOf, OperatorError } from '../core/errors.ts';
import { readSiteFile, WANTED_FILE } from '../settings/read-site-file.ts';
import { LARGEST_FILE, LARGEST_ORDER_CONTENT, type ManifestFile } from '../wire/v2/order.ts';
import { EXIT } from './exit-codes.ts';

/** A file that goes with an order. */
export interface OrderFile extends ManifestFile {
  content: Uint8Array;
}

/** Reads what is to go to hosts: a regular file, mode and content of one and the same open file. @throws OperatorError */
export async function readOrderFile(
  local: string,
  path: string,
  { program = needsToRun(path) } = {},
): Promise<OrderFile> {
  // O_NONBLOCK: a pipe in the file's place must not hold us up
  const handle = await open(local, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new OperatorError(`cannot read ${local}: ${messageOf(cause)}`, { exitCode: EXIT.usage, cause });
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw refuse(local, 'it is no regular file');
    if (stats.size > LARGEST_FILE) throw refuse(local, `it is larger than ${LARGEST_FILE} bytes`);
    if (program && (stats.mode & 0o100) === 0) throw refuse(local, `it cannot be executed; run chmod +x ${local}`);
    return orderFile(path, (stats.mode & 0o755) | 0o400, await handle.readFile());
  } finally {
    await handle.close();
  }
}

export function orderFile(path: string, mode: number, content: Uint8Array): OrderFile {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { path, mode, sha256, size: content.length, content };
}

/** @throws OperatorError where a manifest could not hold them, or hosts could not run a program or would not take settings */
export async function checkOrderFiles(files: readonly OrderFile[]): Promise<void> {
  for (const file of files) {
    if (file.path === WANTED_FILE) {
      throw refuse(file.path, 'penguindome client-settings writes it there; give the file another name');
    }
    const read = file.path.startsWith('settings/') ? await readSiteFile(file.path, file.content) : undefined;
    if (read !== undefined && 'fault' in read) throw refuse(file.path, `hosts would not take it: ${read.fault}`);
    if (needsToRun(file.path) && !isProgram(file.content)) {
      throw refuse(
        file.path,
        'hosts could not run it: expected a program, or a script whose first line begins with #!',
      );
    }
  }
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > LARGEST_ORDER_CONTENT) {
    throw new OperatorError(`cannot order files of ${size} bytes at once: at most ${LARGEST_ORDER_CONTENT}`, {
      exitCode: EXIT.usage,
    });
  }
}

function needsToRun(path: string): boolean {
  return !path.startsWith('settings/');
}

function isProgram(content: Uint8Array): boolean {
  const start = Buffer.from(content.subarray(0, 4)).toString('latin1');
  return start.startsWith('#!') || start === '\u007fELF';
}

function refuse(what: string, why: string): OperatorError {
  return new OperatorError(`cannot use ${what}: ${why}`, { exitCode: EXIT.usage });
}
