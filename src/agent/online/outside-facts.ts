import { hours, type Milliseconds, minutes } from '../../core/duration.ts';
import type { AgentSettings } from '../../settings/agent-settings.ts';
import type { CollectorTools, HostAccess, OutsideName } from '../collector.ts';
import { geolocation, locate } from '../collectors/geolocation.ts';
import { ipAddresses, publicAddresses } from '../collectors/ip-addresses.ts';
import { osUpdates } from '../collectors/os-updates.ts';
import { packageFamily } from '../collectors/package-family.ts';
import { fetchPackageLists } from './fetch-package-lists.ts';

type Settings = Pick<AgentSettings, 'collectors' | 'collect_interval'>;

/** What only others can tell, and how they are asked. */
export interface OutsideFact {
  name: OutsideName;
  timeout: Milliseconds;
  /** the collector that takes it: without that one nobody is asked */
  collector: string;
  isWanted(settings: Settings['collectors'], host: HostAccess): Promise<boolean>;
  /** how long an answer counts as new */
  interval(settings: Settings): Milliseconds;
  /** of what came before, where nobody answers: it counts for as long as it is not too old */
  keepsLast: boolean;
  ask(host: HostAccess, tools: CollectorTools): Promise<unknown>;
}

/** @param lists folder of the lists of packages */
export function outsideFacts(lists: string): OutsideFact[] {
  return [
    {
      name: 'ip_addresses',
      timeout: ipAddresses.timeout,
      collector: ipAddresses.name,
      isWanted: async (settings) => settings.ip_addresses !== undefined,
      // Whether the machine is elsewhere by now is looked at as often as the rest of it; orders may have the collector look more often than this
      // user can know: never older than it takes (`oldestOf`).
      interval: ({ collect_interval }) => Math.min(collect_interval, minutes(10)),
      keepsLast: false,
      ask: publicAddresses,
    },
    {
      name: 'geolocation',
      timeout: geolocation.timeout,
      collector: geolocation.name,
      isWanted: async (settings) => settings.geolocation !== undefined,
      interval: ({ collect_interval }) => Math.min(collect_interval, minutes(10)),
      keepsLast: false,
      ask: locate,
    },
    {
      name: 'package_lists',
      timeout: minutes(15),
      collector: osUpdates.name,
      isWanted: async ({ package_lists }, host) => {
        const family = (package_lists?.ask ?? true) ? await packageFamily(host) : undefined;
        // apt's are refreshed by the system itself, each day.
        return family === 'dnf' || family === 'pacman';
      },
      interval: ({ collectors }) => collectors.package_lists?.interval ?? hours(6),
      keepsLast: true,
      ask: (host) => fetchPackageLists(host, lists),
    },
  ];
}

/** Those that the settings of this machine want. */
export async function wantedFacts(
  facts: readonly OutsideFact[],
  { collectors }: Pick<Settings, 'collectors'>,
  host: HostAccess,
): Promise<OutsideFact[]> {
  const wanted = await Promise.all(
    facts.map(async (fact) => !collectors.disabled.includes(fact.collector) && (await fact.isWanted(collectors, host))),
  );
  return facts.filter((_, at) => wanted[at]);
}
