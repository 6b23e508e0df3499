import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';
import { NO_FAMILY, packageFamily } from '../package-family.ts';
import { readPacmanConf } from '../pacman-conf.ts';
import { parseDpkgPackages } from '../parse-dpkg-status.ts';
import { parseIni } from '../parse-ini.ts';
import { sortedNames } from '../updates.ts';

const MEBIBYTE = 1024 * 1024;

export const heldPackages: Fact = {
  name: 'held_packages',
  look: async (host: HostAccess) => {
    const family = await packageFamily(host);
    switch (family) {
      case 'apt':
        return heldByDpkg(host);
      case 'dnf':
        return heldByDnf(host);
      case 'pacman':
        return heldByPacman(host);
      case undefined:
        return unknown(NO_FAMILY);
      default:
        return family satisfies never;
    }
  },
};

async function heldByDpkg(host: HostAccess): Promise<unknown> {
  const status = await host.readText('/var/lib/dpkg/status', { max: 64 * MEBIBYTE });
  if (status === undefined) return unknown('/var/lib/dpkg/status is missing');
  return sortedNames(
    parseDpkgPackages(status)
      .filter(({ held }) => held)
      .map(({ name }) => name),
  );
}

/** Both generations of the versionlock plugin, and what the settings leave out of every update (dnf.conf(5), excludepkgs). */
async function heldByDnf(host: HostAccess): Promise<string[]> {
  const [list, toml, settings] = await Promise.all(
    ['/etc/dnf/plugins/versionlock.list', '/etc/dnf/versionlock.toml', '/etc/dnf/dnf.conf'].map((file) =>
      textOf(host, file),
    ),
  );
  const main = parseIni(settings ?? '').get('main');
  const excluded = ['exclude', 'excludepkgs'].flatMap((key) => (main?.get(key) ?? '').split(/[\s,]+/));
  return sortedNames([...parseVersionlockList(list ?? ''), ...parseVersionlockToml(toml ?? ''), ...excluded]);
}

/** Lines as `bash-0:5.2.15-1.fc38.*`, told as they stand there. */
export function parseVersionlockList(text: string): string[] {
  return text.split('\n').map((line) => line.replace(/#.*/, '').trim());
}

/** dnf5-versionlock(8): a `[[packages]]` each, with a name. */
export function parseVersionlockToml(text: string): string[] {
  const names: string[] = [];
  let inPackage = false;
  for (const line of text.split('\n')) {
    const table = /^\s*\[\[?\s*([\w.]+)\s*\]\]?/.exec(line)?.[1];
    if (table !== undefined) inPackage = table === 'packages';
    const name = /^\s*name\s*=\s*["']([^"']+)["']/.exec(line)?.[1];
    if (inPackage && name !== undefined) names.push(name);
  }
  return names;
}

async function heldByPacman(host: HostAccess): Promise<unknown> {
  const conf = await readPacmanConf(host);
  if (conf === undefined) return unknown('pacman-conf does not answer');
  const groups = (conf.options.get('IgnoreGroup') ?? []).map((name) => `group ${name}`);
  return sortedNames([...(conf.options.get('IgnorePkg') ?? []), ...groups]);
}
