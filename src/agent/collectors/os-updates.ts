import { minutes } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { aptUpdates } from './apt-updates.ts';
import { dnfUpdates } from './dnf-updates.ts';
import { readOsRelease } from './os-release.ts';
import { pacmanUpdates } from './pacman-updates.ts';
import type { Updates } from './updates.ts';

export const osUpdates = {
  name: 'os_updates',
  describe: 'whether updates, security updates or a new release wait to be installed',
  timeout: minutes(5),
  collect: collectUpdates,
} satisfies Collector;

type Family = { ids: readonly string[]; program: string; look: (host: HostAccess) => Promise<Updates> };

const FAMILIES: readonly Family[] = [
  { ids: ['debian', 'ubuntu'], program: 'apt-get', look: aptUpdates },
  { ids: ['arch'], program: 'pacman', look: pacmanUpdates },
  { ids: ['fedora', 'rhel', 'centos'], program: 'dnf', look: dnfUpdates },
];

/** Nothing here refreshes the package data or uses the network: that is the machine's own business, and `current` says whether it does it. */
async function collectUpdates(host: HostAccess): Promise<unknown> {
  const release = await readOsRelease(host);
  const ids = [release?.get('ID') ?? '', ...(release?.get('ID_LIKE') ?? '').split(' ')];
  // A Debian may have pacman installed, as a tool: what the system says it is goes first.
  for (const id of ids) {
    const family = FAMILIES.find((each) => each.ids.includes(id));
    if (family !== undefined && (await host.find(family.program)) !== undefined) return family.look(host);
  }
  return UNKNOWN;
}
