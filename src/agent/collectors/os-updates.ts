import { minutes } from '../../core/duration.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { aptUpdates } from './apt-updates.ts';
import { dnfConfirmedAt, dnfUpdates } from './dnf-updates.ts';
import { freshLists, installedOn } from './fresh-lists.ts';
import { type PackageFamily, packageFamily } from './package-family.ts';
import { pacmanConfirmedAt, pacmanUpdates } from './pacman-updates.ts';
import { isCurrent, type Updates } from './updates.ts';

export const osUpdates = {
  name: 'os_updates',
  describe: 'whether updates, security updates or a new release wait to be installed',
  timeout: minutes(5),
  collect: collectUpdates,
} satisfies Collector;

const LOOKS: Readonly<Record<PackageFamily, (host: HostAccess, tools: CollectorTools) => Promise<Updates>>> = {
  apt: aptUpdates,
  dnf: dnfUpdates,
  pacman: pacmanUpdates,
};

/**
 * Nothing here refreshes the package data or uses the network: that is the machine's own business, and `current` says whether it does it.
 * Where lists were fetched for the agent alone since then, and nothing was installed after that, these know better.
 */
async function collectUpdates(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const family = await packageFamily(host);
  if (family === undefined) return UNKNOWN;
  const updates = await LOOKS[family](host, tools);
  if (family === 'apt') return updates;
  const fresh = await freshLists(tools, family);
  if (fresh === undefined || fresh.installed !== (await installedOn(host, family))) return updates;
  const own = family === 'dnf' ? (await dnfConfirmedAt(host))?.at : await pacmanConfirmedAt(host);
  if (own !== undefined && own > fresh.at) return updates;
  const { patches, security_patches } = fresh;
  return { ...updates, current: updates.current === true || isCurrent(host, fresh.at), patches, security_patches };
}
