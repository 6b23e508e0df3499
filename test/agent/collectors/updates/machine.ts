import type { ExecutionContext } from 'ava';
import { updates } from '../../../../src/agent/collectors/updates/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant, saying } from '../host-in-folder.ts';

export const DEBIAN = {
  '/etc/os-release': 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n',
  '/usr/bin/apt-get': saying(''),
};
export const UBUNTU = {
  '/etc/os-release':
    'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble\nUBUNTU_CODENAME=noble\n',
  '/usr/bin/apt-get': saying(''),
};
export const FEDORA = {
  '/etc/os-release': 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=43\nSUPPORT_END=2026-12-02\n',
  '/usr/bin/dnf': saying(''),
};
export const ARCH = {
  '/etc/os-release': 'NAME="Arch Linux"\nID=arch\nBUILD_ID=rolling\n',
  '/usr/bin/pacman': saying(''),
};

/** What the group says of a machine that has these files. @param now by the machine's clock */
export async function told(t: ExecutionContext, files: Record<string, string>, now = new Date()): Promise<unknown> {
  const folder = await scratchFolder(t);
  await plant(folder, files);
  return updates.collect({ ...hostInFolder(t, folder), now: () => now }, memory());
}

/** One fact of it, alone: `t.like` would pass over what a list has beyond the expected. */
export async function factOf(
  t: ExecutionContext,
  name: string,
  files: Record<string, string>,
  now?: Date,
): Promise<unknown> {
  return Object(await told(t, files, now))[name];
}
