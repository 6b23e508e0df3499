import { valueAt } from '../../../core/value.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { readOsRelease } from '../os-release.ts';
import { parseJson } from '../parse-json.ts';
import { isDate, parseDistroInfo } from './parse-distro-info.ts';
import { esmEndOf, type SupportEnd, supportEndOf } from './support-ends.ts';

/** An end, and who says so. */
interface Told extends SupportEnd {
  source: 'os-release' | 'distro-info-data' | 'table' | 'Ubuntu Pro';
}

export const releaseSupport: Fact = {
  name: 'release_support',
  look: async (host: HostAccess) => {
    const os = await readOsRelease(host);
    const id = os?.get('ID');
    if (os === undefined || id === undefined) return unknown('there is no os-release that says what this is');
    const release = [os.get('NAME') ?? id, os.get('VERSION_ID')].filter((each) => each !== undefined).join(' ');
    // Arch, and what is made of it: whoever updates is supported.
    if (os.get('BUILD_ID') === 'rolling' || id === 'arch') {
      return { release, supported: true, until: 'none', kind: 'rolling', source: 'os-release' };
    }
    const end = await endOf(host, os, id);
    if (end === undefined) return unknown(`the end of support of ${release} is not known here`);
    const today = host.now().toISOString().slice(0, 10);
    const kind = end.regular !== undefined && today > end.regular ? 'long-term' : 'regular';
    return { release, supported: today <= end.until, until: end.until, kind, source: end.source };
  },
};

async function endOf(host: HostAccess, os: Map<string, string>, id: string): Promise<Told | undefined> {
  const version = os.get('VERSION_ID') ?? '';
  const own = os.get('SUPPORT_END');
  if (own !== undefined && isDate(own)) return { until: own, source: 'os-release' };
  const file = ['debian', 'ubuntu'].includes(id) ? await textOf(host, `/usr/share/distro-info/${id}.csv`) : undefined;
  const listed = file === undefined ? undefined : parseDistroInfo(file, version);
  const found = listed ?? supportEndOf(id, version);
  if (found === undefined) return undefined;
  const esm = id === 'ubuntu' && (await hasEsm(host)) ? (listed?.esm ?? esmEndOf(version)) : undefined;
  if (esm !== undefined) return { until: esm, regular: found.until, source: 'Ubuntu Pro' };
  const { until, regular } = found;
  const source = listed === undefined ? 'table' : 'distro-info-data';
  return { until, ...(regular === undefined ? {} : { regular }), source };
}

/** What `pro status` left for everybody to read. */
async function hasEsm(host: HostAccess): Promise<boolean> {
  const status = parseJson((await textOf(host, '/var/lib/ubuntu-advantage/status.json')) ?? '');
  const services = valueAt(status, 'services');
  if (valueAt(status, 'attached') !== true || !Array.isArray(services)) return false;
  return services.some((each) => valueAt(each, 'name') === 'esm-infra' && valueAt(each, 'status') === 'enabled');
}
