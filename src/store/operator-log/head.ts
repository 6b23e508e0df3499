import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { messageOf, OperatorError } from '../../core/errors.ts';
import { writeAtomically } from '../../settings/atomic-write.ts';

const head = z.object({ count: z.int().min(1), hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** How many entries the log has, and the hash of the last: kept apart from it, so that a log that was cut off is found out. */
export type Head = z.output<typeof head>;

/** The folder belongs to somebody else, or is not there: then the head stays as somebody who may write it left it. */
const NOT_OURS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT']);

/** @returns undefined where there is none. @throws OperatorError where it cannot be read, or is none */
export async function readHead(path: string): Promise<Head | undefined> {
  try {
    return head.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined;
    const why = codeOf(cause) === undefined ? 'it does not hold the count and hash of entries' : messageOf(cause);
    throw new OperatorError(`cannot read the head of the operator log ${path}: ${why}`, { cause });
  }
}

/** The same for whoever adds to the log: one that may not be read is somebody else's to compare. */
export async function readHeadIfOurs(path: string): Promise<Head | undefined> {
  return readHead(path).catch((error: unknown) => {
    if (error instanceof OperatorError && NOT_OURS.has(codeOf(error.cause) ?? '')) return undefined;
    throw error;
  });
}

export async function writeHead(path: string, { count, hash }: Head): Promise<void> {
  try {
    const { uid, gid } = await stat(dirname(path));
    await writeAtomically(path, `${JSON.stringify({ count, hash })}\n`, { mode: 0o640, owner: { uid, gid } });
  } catch (error) {
    if (!NOT_OURS.has(codeOf(error) ?? '')) throw error;
  }
}

export function codeOf(error: unknown): string | undefined {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}
