import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../../support/scratch.ts';

/** A file system of its own that a test can fill up. */
export interface SmallDisk {
  folder: string;
  /** Takes all room but so many bytes (rounded down to whole pages by the file system). */
  fill(room: number): Promise<void>;
  makeRoom(): Promise<void>;
}

const PIECE = Buffer.alloc(1024 * 1024, 'x');

/** Mounting a tmpfs takes root, and a container may forbid it to root too. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(process.env['PENGUINDOME_TEST_SCRATCH'] ?? tmpdir(), 'mount-'));
  try {
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) return false;
    return spawnSync('umount', [folder]).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function smallDisk(t: ExecutionContext, megabytes: number): Promise<SmallDisk> {
  const mountPoint = join(await scratchFolder(t), 'small');
  mkdirSync(mountPoint);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', mountPoint]);
  if (mounted.status !== 0) t.fail(mounted.stderr.toString());
  t.teardown(() => void spawnSync('umount', ['-l', mountPoint]));
  const filler = join(mountPoint, 'filler');
  return {
    folder: mountPoint,
    async fill(room) {
      const file = await open(filler, 'w');
      let size = 0;
      try {
        // at the end a write takes less than it was given, then none
        for (;;) size += (await file.write(PIECE)).bytesWritten;
      } catch {
        await file.truncate(Math.max(size - room, 0));
      } finally {
        await file.close();
      }
    },
    makeRoom: () => rm(filler, { force: true }),
  };
}
