import { join } from 'node:path';
import { type HostAccess, UNKNOWN } from '../collector.ts';
import { dnfLists } from '../collectors/dnf-updates.ts';
import { type FreshLists, installedOn } from '../collectors/fresh-lists.ts';
import { packageFamily } from '../collectors/package-family.ts';
import { pacmanAnswers } from '../collectors/pacman-updates.ts';
import { makeFolder } from '../places.ts';
import { fetchPacmanLists } from './fetch-pacman-lists.ts';

/**
 * Whether updates wait, by lists that were fetched just now into a folder of our own: the machine's are as they were, as with Arch's
 * `checkupdates`. To install them is the machine's own business.
 */
export async function fetchPackageLists(host: HostAccess, folder: string): Promise<FreshLists | typeof UNKNOWN> {
  const family = await packageFamily(host);
  if (family !== 'pacman' && family !== 'dnf') return UNKNOWN;
  const confirmed_at = host.now().toISOString();
  const own = join(folder, family);
  await makeFolder(own, 0o700);
  const answers = family === 'dnf' ? await dnfLists(host, own) : await byPacman(host, own);
  return { family, confirmed_at, installed: await installedOn(host, family), ...answers };
}

async function byPacman(host: HostAccess, folder: string) {
  await fetchPacmanLists(host, folder);
  return pacmanAnswers(host, ['--dbpath', folder]);
}
