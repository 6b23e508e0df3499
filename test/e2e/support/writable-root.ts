import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from '../../support/scratch.ts';
import { run } from './packages.ts';
import { rootfs } from './rootfs.ts';

/** A root file system that may be written to, over a tree that stays as it is. Nothing runs in it. */
export async function writableRoot(t: ExecutionContext): Promise<string> {
  const tree = await rootfs('trixie');
  const scratch = await scratchFolder(t);
  const root = join(scratch, 'root');
  await run('mkdir', root, join(scratch, 'rest'));
  await run('mount', '-t', 'tmpfs', 'tmpfs', join(scratch, 'rest'));
  t.teardown(async () => void (await run('umount', '-l', join(scratch, 'rest'))));
  await run('mkdir', join(scratch, 'rest/upper'), join(scratch, 'rest/work'));
  const layers = `lowerdir=${tree},upperdir=${scratch}/rest/upper,workdir=${scratch}/rest/work`;
  await run('mount', '-t', 'overlay', 'overlay', '-o', layers, root);
  t.teardown(async () => void (await run('umount', '-l', root)));
  return root;
}
