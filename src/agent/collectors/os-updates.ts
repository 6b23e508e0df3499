import { minutes } from '../../core/duration.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';
import { aptUpdates } from './apt-updates.ts';
import { dnfUpdates } from './dnf-updates.ts';
import { type PackageFamily, packageFamily } from './package-family.ts';
import { pacmanUpdates } from './pacman-updates.ts';
import type { Updates } from './updates.ts';

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

/** Nothing here refreshes the package data or uses the network: that is the machine's own business, and `current` says whether it does it. */
async function collectUpdates(host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const family = await packageFamily(host);
  return family === undefined ? UNKNOWN : LOOKS[family](host, tools);
}
