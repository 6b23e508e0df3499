import type { HostAccess } from '../collector.ts';
import { dropIns } from './drop-ins.ts';
import { namesIn, textOf } from './lenient.ts';
import { parseBoolean, parseIni } from './parse-ini.ts';

const REPOSITORIES = '/etc/yum.repos.d';
/**
 * dnf 5: what `dnf config-manager setopt` writes goes over the repositories' own files. In the order of their names, of which that of the
 * administrator stands for one of the distribution (libdnf5's RepoSack::load_repos_configuration_overrides).
 */
const OVERRIDES = ['/etc/dnf/repos.override.d', '/usr/share/dnf5/repos.override.d'];

export interface DnfRepository {
  id: string;
  /** where it is set up */
  file: string;
  enabled: boolean;
  /** its own, and then those that stand over them */
  settings: readonly ReadonlyMap<string, string>[];
}

/** All that are set up, those that are switched off too. */
export async function dnfRepositories(host: HostAccess): Promise<DnfRepository[]> {
  const names = ((await namesIn(host, REPOSITORIES)) ?? []).filter((name) => name.endsWith('.repo'));
  const overrides = (await dropIns(host, OVERRIDES, '.repo')).flatMap((text) => [...parseIni(text)]);
  const found = await Promise.all(
    names.map(async (name) => {
      const file = `${REPOSITORIES}/${name}`;
      const sections = [...parseIni((await textOf(host, file)) ?? '')].filter(([id]) => id !== 'main');
      return sections.map(([id, own]): DnfRepository => {
        const settings = [own, ...overrides.flatMap(([pattern, over]) => (isMeant(pattern, id) ? [over] : []))];
        const enabled = settings.flatMap((each) => parseBoolean(each.get('enabled')) ?? []).at(-1) ?? true;
        return { id, file, enabled, settings };
      });
    }),
  );
  return found.flat();
}

/** The name of an override's section is a pattern of ids: `*-debuginfo`. */
function isMeant(pattern: string, id: string): boolean {
  const source = pattern
    .replace(/[\\^$.|+(){}[\]]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(id);
}
