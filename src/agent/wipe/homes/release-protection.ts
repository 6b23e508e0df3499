import { pid } from 'node:process';
import type { RunTool } from '../tools.ts';
import { belowForOthers, type Folder } from './open-folder.ts';

/** What fits into a file name, as text that is not the same as the bytes: no program can be told such a name. */
const REPLACED = '\ufffd';

/**
 * Takes off what keeps even root from removing a name in a folder: the attributes `i` and `a` (chattr(1)) of the folder and of what has the
 * name, and `ro` of a btrfs subvolume.
 */
export function releaseWith(run: RunTool): (folder: Folder, name: string) => Promise<boolean> {
  return async (folder, name) => {
    const itself = belowForOthers(folder, pid);
    const paths = name === '.' || name.includes(REPLACED) ? [itself] : [itself, belowForOthers(folder, pid, name)];
    let released = false;
    for (const path of paths) released = (await run('chattr', ['-i', '-a', '--', path])).code === 0 || released;
    // A read-only subvolume lets nothing be changed, its own attributes included.
    return (await makeWritable(run, itself)) || released;
  };
}

async function makeWritable(run: RunTool, path: string): Promise<boolean> {
  // btrfs-progs before 5.14 knows no -f, and does not need it.
  for (const force of [['-f'], []]) {
    const { code } = await run('btrfs', ['property', 'set', ...force, '-t', 'subvol', path, 'ro', 'false']);
    if (code === 0) return true;
  }
  return false;
}
