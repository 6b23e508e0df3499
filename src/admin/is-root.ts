import { stat } from 'node:fs/promises';
import type { FileOwner } from '../settings/atomic-write.ts';

/** Asked of the kernel: in a container, a user id need not have an account, and `os.userInfo` throws there. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Whom what is written into a folder is given to: whoever has the folder, where root writes. */
export async function ownerIn(folder: string): Promise<FileOwner | undefined> {
  if (!isRoot()) return undefined;
  const { uid, gid } = await stat(folder);
  return { uid, gid };
}
