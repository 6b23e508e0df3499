import type { HostAccess } from '../../collector.ts';
import { namesIn, textOf } from '../lenient.ts';
import { parseBoolean, parseIni } from '../parse-ini.ts';
import { type Repository, sortedRepositories } from './repository.ts';

const REPOSITORIES = '/etc/yum.repos.d';
/** dnf 5: what `dnf config-manager setopt` writes goes over the repositories' own files. */
const OVERRIDES = '/etc/dnf/repos.override.d';
/** dnf 5 reads the drop-ins of the distribution and of the administrator, and then dnf.conf. */
const DROP_INS = ['/usr/share/dnf5/libdnf.conf.d', '/etc/dnf/libdnf5.conf.d'];

/** Those of Fedora and of RHEL and its rebuilds, by the names that they give them. */
const OWN =
  /^(?:fedora|updates|rawhide)(?:-(?:testing|modular|updates|cisco-openh264|debuginfo|source))*$|^fedora-cisco-openh264$|^(?:rhel|codeready-builder)-|^(?:baseos|appstream|crb|powertools|extras|extras-common|highavailability|resilientstorage|nfv|rt|plus|devel|sap|saphana)(?:-(?:debuginfo|debug|source|rpms))*$/i;

type Settings = Map<string, Map<string, string>>;

export async function dnfRepositories(host: HostAccess): Promise<unknown> {
  const [main, files, overrides, ...dropIns] = await Promise.all([
    textOf(host, '/etc/dnf/dnf.conf'),
    readFolder(host, REPOSITORIES, '.repo'),
    readFolder(host, OVERRIDES, '.repo'),
    ...DROP_INS.map((folder) => readFolder(host, folder, '.conf')),
  ]);
  // Neither generation of dnf checks packages unless it is told to (dnf.conf(5), gpgcheck).
  const mains = [...dropIns.flat().map(({ sections }) => sections), parseIni(main ?? '')].map((each) =>
    each.get('main'),
  );
  const general = mains.flatMap((each) => settingIn(each) ?? []).at(-1) ?? false;
  const found = files.flatMap(({ file, sections }) =>
    [...sections].flatMap(([id, own]): Repository[] => {
      if (id === 'main') return [];
      const over = overrides.flatMap(({ sections: each }) => each.get(id) ?? []);
      const enabled = [own, ...over].flatMap((each) => parseBoolean(each.get('enabled')) ?? []).at(-1) ?? true;
      if (!enabled) return [];
      const checked = [own, ...over].flatMap((each) => settingIn(each) ?? []).at(-1) ?? general;
      return [{ name: id, file, foreign: !OWN.test(id), problems: checked ? [] : ['unsigned'] }];
    }),
  );
  return sortedRepositories(found);
}

/** `pkg_gpgcheck` is what dnf 5 calls it, and reads both. */
function settingIn(settings: Map<string, string> | undefined): boolean | undefined {
  return parseBoolean(settings?.get('pkg_gpgcheck') ?? settings?.get('gpgcheck'));
}

async function readFolder(
  host: HostAccess,
  folder: string,
  ending: string,
): Promise<{ file: string; sections: Settings }[]> {
  const names = ((await namesIn(host, folder)) ?? []).filter((name) => name.endsWith(ending));
  return Promise.all(
    names.map(async (name) => {
      const file = `${folder}/${name}`;
      return { file, sections: parseIni((await textOf(host, file)) ?? '') };
    }),
  );
}
