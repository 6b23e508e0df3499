import { seconds } from '../../core/duration.ts';
import { type Collector, type HostAccess, UNKNOWN } from '../collector.ts';
import { readOsRelease } from './os-release.ts';

export const osInfo = {
  name: 'os_info',
  describe: 'name and version of the distribution',
  timeout: seconds(10),
  collect: collectOsInfo,
} satisfies Collector;

async function collectOsInfo(host: HostAccess): Promise<unknown> {
  const release = await readOsRelease(host);
  if (release === undefined) return UNKNOWN;
  return {
    distname: nonEmpty(release, 'NAME'),
    version: nonEmpty(release, 'VERSION_ID', 'VERSION_CODENAME', 'BUILD_ID'),
  };
}

/** Debian's testing has a code name only, Arch only `BUILD_ID=rolling`. */
function nonEmpty(release: Map<string, string>, ...names: string[]): string {
  return names.map((name) => release.get(name)).find((value) => value !== undefined && value !== '') ?? UNKNOWN;
}
