import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { LARGEST_FILE } from '../../wire/v2/order.ts';
import { readHostile } from '../read-hostile.ts';

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The content of an order's file, as its manifest says it. @throws where the copy in the order's folder is another one */
export async function readVerified(folder: string, sha256: string): Promise<Buffer> {
  const path = join(folder, 'files', sha256);
  const bytes = await readHostile(path, LARGEST_FILE);
  if (bytes === undefined) throw new Error(`cannot use the order's files: ${path} is missing`);
  if (sha256Of(bytes) !== sha256) throw new Error(`cannot use ${path}: it is not what the order says`);
  return bytes;
}
