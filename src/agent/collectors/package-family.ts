import type { HostAccess } from '../collector.ts';
import { readOsRelease } from './os-release.ts';

export type PackageFamily = 'apt' | 'dnf' | 'pacman';

const FAMILIES: readonly { family: PackageFamily; ids: readonly string[]; program: string }[] = [
  { family: 'apt', ids: ['debian', 'ubuntu'], program: 'apt-get' },
  { family: 'pacman', ids: ['arch'], program: 'pacman' },
  { family: 'dnf', ids: ['fedora', 'rhel', 'centos'], program: 'dnf' },
];

/**
 * What manages the system's packages. A Debian may have pacman installed, as a tool: what the system says it is goes first.
 * @returns undefined where it is none of those that we know
 */
export async function packageFamily(host: HostAccess): Promise<PackageFamily | undefined> {
  const release = await readOsRelease(host);
  const ids = [release?.get('ID') ?? '', ...(release?.get('ID_LIKE') ?? '').split(' ')];
  for (const id of ids) {
    const known = FAMILIES.find((each) => each.ids.includes(id));
    if (known !== undefined && (await host.find(known.program)) !== undefined) return known.family;
  }
  return undefined;
}

/** Why facts about packages are unknown where there is no family. */
export const NO_FAMILY = 'this is no system of Debian, Fedora or Arch, or its package manager is missing';
