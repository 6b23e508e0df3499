import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { hasCode } from './has-code.ts';
import type { Places } from './places.ts';
import type { Trouble } from './trouble.ts';

/** Bytes: a report and what goes with it may not fit into less. */
const ROOM = 1024 * 1024;

/**
 * Why nothing can be kept any more. A run that fails for it cannot write that down, so whoever asks looks at the disk.
 * The submitter is no superuser: what a file system reserves for root is no room for it.
 */
export async function diskTroubles({ state }: Pick<Places, 'state'>): Promise<Trouble[]> {
  const told = await statfs(state).catch(() => undefined);
  if (told === undefined) return [];
  if (await isReadOnly(state)) {
    return [
      {
        code: 'read-only',
        what: `the file system of ${state} can only be read: nothing is collected or handed over`,
        advice:
          'see what the kernel says (journalctl -k): a disk with errors is made read-only; reports that wait are kept',
      },
    ];
  }
  const { bavail, bsize, files, ffree } = told;
  // Some file systems do not count files.
  const full = bavail * bsize < ROOM ? 'no space' : files > 0 && ffree === 0 ? 'no inodes' : undefined;
  if (full === undefined) return [];
  return [
    {
      code: 'disk-full',
      what: `the disk is full: ${full} left in ${state}, so new reports cannot be kept`,
      advice: `make room (df ${state}); reports that wait are kept, and it goes on by itself`,
    },
  ];
}

/** Whoever may not write there anyway is told of the file system first. */
async function isReadOnly(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => false,
    (error: unknown) => hasCode(error, 'EROFS'),
  );
}
