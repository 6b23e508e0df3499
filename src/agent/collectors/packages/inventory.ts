import { hours, minutes } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { NO_FAMILY, type PackageFamily, packageFamily } from '../package-family.ts';
import { parseDpkgPackages } from '../parse-dpkg-status.ts';
import { flatpaks } from './flatpaks.ts';
import { type Installed, versionsOf } from './installed.ts';
import { snaps } from './snaps.ts';

const MEBIBYTE = 1024 * 1024;

/** Everything that is installed for the whole system, by who manages it: what advisories are matched against. */
export const inventory: Fact = {
  name: 'inventory',
  interval: hours(6),
  timeout: minutes(2),
  look: async (host: HostAccess) => {
    const family = await packageFamily(host);
    const [own, flatpak, snap] = await Promise.all([
      family === undefined ? { system: unknown(NO_FAMILY) } : native(host, family),
      flatpaks(host),
      snaps(host),
    ]);
    return { ...own, ...(flatpak === undefined ? {} : { flatpak }), ...(snap === undefined ? {} : { snap }) };
  },
};

async function native(host: HostAccess, family: PackageFamily): Promise<Record<string, unknown>> {
  switch (family) {
    case 'apt':
      return { deb: await debs(host) };
    case 'dnf':
      return { rpm: await rpms(host) };
    case 'pacman':
      return { pacman: await pacmans(host) };
    default:
      return family satisfies never;
  }
}

async function debs(host: HostAccess): Promise<unknown> {
  const status = await host.readText('/var/lib/dpkg/status', { max: 64 * MEBIBYTE });
  return status === undefined ? unknown('/var/lib/dpkg/status is missing') : versionsOf(parseDpkgPackages(status));
}

/** `EPOCH:VERSION-RELEASE`, without an epoch that is none; the keys that rpm imported are packages to it, and to nobody else. */
const QUERY = '%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\n';

async function rpms(host: HostAccess): Promise<unknown> {
  const rpm = await host.find('rpm');
  if (rpm === undefined) return unknown('rpm is not installed');
  const { code, stdout } = await host.run(rpm, ['-qa', '--qf', QUERY], { maxOutput: 8 * MEBIBYTE });
  if (code !== 0) return unknown('rpm does not answer');
  const packages = stdout.split('\n').flatMap((line): Installed[] => {
    const [name = '', version, architecture = ''] = line.split('\t');
    return version === undefined || name === 'gpg-pubkey' ? [] : [{ name, version, architecture }];
  });
  return packages.length === 0 ? unknown('rpm knows of no package') : versionsOf(packages);
}

/** A folder for each package, called NAME-VERSION-RELEASE: a name may hold dashes, the other two not. */
async function pacmans(host: HostAccess): Promise<unknown> {
  const folders = await host.list('/var/lib/pacman/local');
  if (folders === undefined) return unknown('/var/lib/pacman/local is missing');
  const packages = folders.flatMap((folder): Installed[] => {
    const [, name, version] = /^(.+)-([^-]+-[^-]+)$/.exec(folder) ?? [];
    return name === undefined || version === undefined ? [] : [{ name, version, architecture: '' }];
  });
  return versionsOf(packages);
}
