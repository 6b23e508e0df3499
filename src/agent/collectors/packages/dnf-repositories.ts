import type { HostAccess } from '../../collector.ts';
import { dnfRepositories } from '../dnf-repositories.ts';
import { namesIn, textOf } from '../lenient.ts';
import { parseBoolean, parseIni } from '../parse-ini.ts';
import { type Repository, sortedRepositories } from './repository.ts';

/** dnf 5 reads the drop-ins of the distribution and of the administrator, and then dnf.conf. */
const DROP_INS = ['/usr/share/dnf5/libdnf.conf.d', '/etc/dnf/libdnf5.conf.d'];

/** Those of Fedora and of RHEL and its rebuilds, by the names that they give them. */
const OWN =
  /^(?:fedora|updates|rawhide)(?:-(?:testing|modular|updates|cisco-openh264|debuginfo|source))*$|^fedora-cisco-openh264$|^(?:rhel|codeready-builder)-|^(?:baseos|appstream|crb|powertools|extras|extras-common|highavailability|resilientstorage|nfv|rt|plus|devel|sap|saphana)(?:-(?:debuginfo|debug|source|rpms))*$/i;

export async function judgeDnfRepositories(host: HostAccess): Promise<unknown> {
  const [main, repositories, ...dropIns] = await Promise.all([
    textOf(host, '/etc/dnf/dnf.conf'),
    dnfRepositories(host),
    ...DROP_INS.map((folder) => textsIn(host, folder)),
  ]);
  // Neither generation of dnf checks packages unless it is told to (dnf.conf(5), gpgcheck).
  const mains = [...dropIns.flat(), main ?? ''].map((text) => parseIni(text).get('main'));
  const general = mains.flatMap((each) => settingIn(each) ?? []).at(-1) ?? false;
  const found = repositories.flatMap(({ id, file, enabled, settings }): Repository[] => {
    if (!enabled) return [];
    const checked = settings.flatMap((each) => settingIn(each) ?? []).at(-1) ?? general;
    return [{ name: id, file, foreign: !OWN.test(id), problems: checked ? [] : ['unsigned'] }];
  });
  return sortedRepositories(found);
}

/** `pkg_gpgcheck` is what dnf 5 calls it, and reads both. */
function settingIn(settings: ReadonlyMap<string, string> | undefined): boolean | undefined {
  return parseBoolean(settings?.get('pkg_gpgcheck') ?? settings?.get('gpgcheck'));
}

async function textsIn(host: HostAccess, folder: string): Promise<string[]> {
  const names = ((await namesIn(host, folder)) ?? []).filter((name) => name.endsWith('.conf'));
  const texts = await Promise.all(names.map((name) => textOf(host, `${folder}/${name}`)));
  return texts.filter((text) => text !== undefined);
}
