import type { ExecutionContext } from 'ava';
import { packages } from '../../../../src/agent/collectors/packages/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

/** What the group says of a machine that has these files. */
export async function told(t: ExecutionContext, files: Record<string, string>): Promise<unknown> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return packages.collect(hostInFolder(t, folder), memory());
}

/** One fact of it, alone: `t.like` would pass over what a list has beyond the expected. */
export async function factOf(t: ExecutionContext, name: string, files: Record<string, string>): Promise<unknown> {
  return Object(await told(t, files))[name];
}
